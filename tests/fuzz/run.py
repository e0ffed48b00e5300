"""Runs inputs through the local door in this process, over a raw upstream whose answers are fuzzed as well."""

from __future__ import annotations

import contextlib
import io
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h11

from proxy.clock import SYSTEM
from proxy.doors.server import Server
from proxy.exchange import Exchange
from proxy.http.framing import request_length
from proxy.http.head import end_of_request_head, parse_request
from proxy.secret.store import TextStore
from proxy.settings import Settings
from proxy.telemetry import Telemetry
from proxy.wiring import Parts
from tests.fuzz import corpus

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-upstream"
BODY_LIMIT = 100_000
HANG_S = 20.0
QUIET_S = 0.1
MARK = b"GET /smuggled-mark HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SECRET = (
    '{"schema": 1, "api_key": "%s", "base_url": "http://127.0.0.1:%d/v1", "models": {"fast": {"target": "slow"}},'
    ' "retries": 0, "timeouts": {"connect_s": 5, "first_byte_s": 5, "idle_s": 5, "total_s": 10}}'
)


@dataclass
class Report:
    """What a run came to."""

    inputs: int = 0
    answers: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class Silent(Telemetry):
    """Writes nothing, and remembers errors of the proxy itself."""

    def __init__(self) -> None:
        super().__init__("fuzz", "INFO", SYSTEM)
        self.bugs: list[str] = []
        self.ids: list[str] = []  # of all requests, in order

    def request_ended(self, exchange: Exchange) -> None:
        """A request has ended."""
        self.ids.append(exchange.request_id)
        if exchange.error == "internal_error":
            self.bugs.append(exchange.path)


class RawUpstream:
    """Reads one request a connection, answers with the bytes of the moment, closes."""

    def __init__(self) -> None:
        self.answer = b""
        self.targets: dict[str, str] = {}  # by the id of the request
        self.reading = 0  # connections whose request has not arrived as a whole
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(HANG_S)
        with client, contextlib.suppress(OSError):
            self._note(client)
            client.sendall(self.answer)
            client.shutdown(socket.SHUT_WR)
            client.recv(1)

    def _note(self, client: socket.socket) -> None:
        with self._lock:
            self.reading += 1
        try:
            request_id, target = _read_request(client)
            self.targets[request_id] = target
        finally:
            with self._lock:
                self.reading -= 1

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


def _read_request(client: socket.socket) -> tuple[str, str]:
    """(id, target) of a request that the proxy has sent, which must be sound. Raises OSError when it breaks off."""
    data = b""
    while (end := end_of_request_head(data)) < 0:
        part = client.recv(65_536)
        if not part:
            raise ConnectionResetError
        data += part
    head = parse_request(data[:end])
    size = len(data) - end
    while size < request_length(head):
        size += len(client.recv(65_536)) or request_length(head)
    return head.values("x-request-id")[0], head.target


def _receive(client: socket.socket) -> bytes:
    """The next bytes.

    When none come for a while, the door may wait for more of a request: end it. Raises TimeoutError.
    """
    try:
        return client.recv(65_536)
    except TimeoutError:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        client.settimeout(HANG_S)
        return client.recv(65_536)


class Fuzzer:
    """One local door and one upstream for all inputs of a run."""

    def __init__(self, seed: int) -> None:
        self.rnd = random.Random(seed)
        self.report = Report()
        self._upstream = RawUpstream()
        text = SECRET % (KEY, self._upstream.port)
        self._telemetry = Silent()
        parts = Parts(
            Settings("", "fuzz", "INFO", "stream", "", 3600.0, "1"), TextStore(lambda: text), telemetry=self._telemetry
        )
        parts.secrets.get()
        self._inputs: list[tuple[bytes, list[str]]] = []  # and the ids of the requests that each came to
        self._server = Server(0, parts, BODY_LIMIT)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def run(self, inputs: int, seconds: float = float("inf")) -> Report:
        """Send inputs until there were enough, or time is over."""
        until = time.monotonic() + seconds
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr):
            while self.report.inputs < inputs and time.monotonic() < until:
                self._one_input()
        self._judge_targets()
        if stderr.getvalue():
            self.report.failures.append(f"a traceback was written: {stderr.getvalue()[-2000:]}")
        if self._telemetry.bugs:
            self.report.failures.append(f"{len(self._telemetry.bugs)} requests ended in internal_error")
        self._check_alive()
        return self.report

    def close(self) -> None:
        """End the door and the upstream."""
        self._server.shutdown()
        self._server.server_close()
        self._upstream.close()
        self._thread.join(10)

    def _one_input(self) -> None:
        rnd = self.rnd
        request, response = rnd.choice(corpus.REQUESTS), rnd.choice(corpus.RESPONSES)
        if rnd.random() < 0.7:
            request = corpus.mutated(rnd, request)
        if rnd.random() < 0.5:
            response = corpus.mutated(rnd, response)
        self._upstream.answer = response
        before = len(self._telemetry.ids)
        try:
            raw = self._exchange(request + MARK)
        except TimeoutError:
            self.report.failures.append(f"hang: {request!r} answered by {response!r}")
            raw = b""
        self._settle()
        self.report.inputs += 1
        self._inputs.append((request, self._telemetry.ids[before:]))
        self._judge_answer(request, response, raw)

    def _settle(self) -> None:
        """Wait until the door has done with this input: the requests that end until then are this input's."""
        if not _until(lambda: not self._server._callers._all):
            self.report.failures.append("hang: the door has not done with an input")

    def _exchange(self, data: bytes) -> bytes:
        with socket.create_connection(self._server.server_address, timeout=HANG_S) as client:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                cut = self.rnd.randrange(len(data))
                client.sendall(data[:cut])
                client.sendall(data[cut:])
            client.settimeout(QUIET_S)
            raw = b""
            with contextlib.suppress(ConnectionResetError):
                while part := _receive(client):
                    raw += part
            return raw

    def _judge_answer(self, request: bytes, response: bytes, raw: bytes) -> None:
        if raw and not raw.startswith(b"HTTP/1.1 "):
            self.report.failures.append(f"no answer: {raw[:80]!r} to {request!r}")
        if raw:
            status = int(raw[9:12])
            self.report.answers[status] = self.report.answers.get(status, 0) + 1
        if KEY.encode() in raw:
            self.report.failures.append(f"the key came back: {response!r}")

    def _judge_targets(self) -> None:
        """What was run are requests of its input; a marked one behind it only if it ends where the grammar says.

        By ids and at the end, for the upstream may read a request when its caller has long gone.
        """
        if not _until(lambda: not self._upstream.reading):
            self.report.failures.append("hang: the upstream has not got the whole of a request")
        targets = dict(self._upstream.targets)
        for request, ids in self._inputs:
            allowed = requests_in(request + MARK)
            for target in filter(None, (targets.pop(each, "") for each in ids)):
                path = below_v1(target.partition("?")[0])
                if not any(path == want or want.startswith("/models/") for want in allowed):
                    self.report.failures.append(f"desync: {target} was run for {request!r}")
        self.report.failures += [f"desync: no input has {target}" for target in targets.values()]

    def _check_alive(self) -> None:
        try:
            raw = self._exchange(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        except OSError as error:
            raw = repr(error).encode()
        if not raw.startswith(b"HTTP/1.1 200"):
            self.report.failures.append(f"the door died: {raw[:200]!r}")


def _until(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds, at most HANG_S; whether it does."""
    until = time.monotonic() + HANG_S
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.0005)
    return True


def requests_in(data: bytes) -> list[str]:
    """The paths of the requests in these bytes by an independent reading: h11's, which is strict as well."""
    paths: list[str] = []
    while data:
        # A server should pass over an empty line before a request (RFC 9112 section 2.2); h11 does not.
        path, data = _first_request(data.removeprefix(b"\r\n"))
        if path is None:
            break
        paths.append(path)
    return paths


def _first_request(data: bytes) -> tuple[str | None, bytes]:
    """(path of the first request, what follows it); None where there is none."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    path: str | None = None
    with contextlib.suppress(h11.RemoteProtocolError):
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Request):
                path = below_v1(_path_of(event.target.decode("latin-1")))
            elif not isinstance(event, h11.Data):
                return path, b""
        return path, connection.trailing_data[0]
    return path, b""


def _path_of(target: str) -> str:
    if target.startswith(("http://", "https://")):
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target.partition("?")[0]


def below_v1(path: str) -> str:
    """A path as the proxy appends it to the base URL."""
    return path[3:] if path == "/v1" or path.startswith("/v1/") else path


def run(seed: int, inputs: int) -> Report:
    """One process's share."""
    fuzzer = Fuzzer(seed)
    try:
        return fuzzer.run(inputs)
    finally:
        fuzzer.close()
