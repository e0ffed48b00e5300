"""A proxy in this process over a scripted upstream, with a secret that a test can change and a log that it can read."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from proxy import clock, settings
from proxy.doors import server
from proxy.exchange import Exchange
from proxy.message import Request, Response
from proxy.secret.store import SecretUnreadable
from proxy.telemetry import Telemetry
from proxy.wiring import Parts

LIMIT = 4_500_000


@dataclass
class Store:
    """A secret store of which a test sets the content."""

    secret: dict[str, Any]
    version: str = "v1"
    text: str | None = None  # instead of `secret`, to be malformed
    broken: bool = False
    reads: int = 0

    def read(self) -> tuple[str, str]:
        self.reads += 1
        if self.broken:
            raise SecretUnreadable("Secrets Manager answered 400 AccessDeniedException")
        return json.dumps(self.secret) if self.text is None else self.text, self.version


@dataclass
class Rig:
    """The parts of a proxy, and helpers to call it."""

    parts: Parts
    store: Store
    log: io.StringIO = field(default_factory=io.StringIO)

    def ask(self, path: str = "/v1/chat/completions", **changes: Any) -> Answer:
        """Respond and read the body; the request's line is logged."""
        response = self.parts.proxy.respond(request(path, **changes))
        answer = Answer(response)
        with contextlib.redirect_stdout(self.log):
            self.parts.telemetry.request_ended(response.exchange)
        return answer

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


class Answer:
    """A response, read to its end; `broken` is what its body raised."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = response.headers
        self.exchange = response.exchange
        self.broken: BaseException | None = None
        chunks: list[bytes] = []
        try:
            chunks.extend(response.body)
        except Exception as error:  # noqa: BLE001  (a test looks at it)
            self.broken = error
        self.chunks = chunks
        self.body = b"".join(chunks)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def json(self) -> Any:
        return json.loads(self.body)


def request(path: str = "/v1/chat/completions", method: str = "POST", **changes: Any) -> Request:
    """A chat request unless told otherwise."""
    body = changes.pop("body", None)
    if body is None:
        body = {"model": "gpt-4o-mini", "messages": []} if method == "POST" else b""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    path, _, query = path.partition("?")
    headers = tuple({"content-type": "application/json", **changes.pop("headers", {})}.items())
    return Request(method, path, query, headers, content, changes.pop("body_limit", LIMIT), **changes)


def secret(base_url: str, **changes: Any) -> dict[str, Any]:
    """A secret with limits that a busy machine keeps, too; `changes` replace members."""
    limits = {"connect_s": 30.0, "first_byte_s": 30.0, "idle_s": 30.0, "total_s": 60.0}
    return {"schema": 1, "api_key": "sk-upstream", "base_url": base_url, "timeouts": limits, **changes}


def rig(
    base_url: str,
    *,
    source: clock.Clock = clock.SYSTEM,
    ttl_s: float = 300.0,
    digest: str = "sha256:abc",
    mode: str = "stream",
    **changes: Any,
) -> Rig:
    """A proxy over `base_url`."""
    store = Store(secret(base_url, **changes))
    result = settings.Settings("", "dev", "INFO", mode, digest, ttl_s, "7")
    return Rig(Parts(result, store, source), store)


class Silent(Telemetry):
    """Writes nothing: a server's threads would log past a test's end. `python -m proxy` is tested with its log."""

    def request_ended(self, exchange: Exchange) -> None:
        exchange.ended = time.monotonic()


@contextlib.contextmanager
def local_server(parts: Parts, body_limit: int = 100_000_000) -> Iterator[str]:
    """The local HTTP door on a free port; its base URL."""
    parts.telemetry = Silent("dev", "INFO", clock.SYSTEM)
    listening = server.Server(0, parts, body_limit)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}/v1"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(5)
