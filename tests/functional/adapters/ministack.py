"""A MiniStack of this test session's own, as a second emulator for the adapters; emptied between two tests."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from installer import environment
from local import cloud, emulator, processes, strict
from local.state import Cloud, Keys
from local.strict import Strict

ROOT = Path(__file__).resolve().parents[3]
START_LIMIT_S = 60.0


@dataclass(frozen=True)
class MiniStack:
    """A running emulator."""

    port: int
    keys: Keys

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget everything that tests made."""
        assert _status(self.port, "POST", "/_ministack/reset") == 200


@contextlib.contextmanager
def started(region: str, account: str, switches: Strict = strict.OFF) -> Iterator[MiniStack]:
    """The emulator alone, without stand-in and pump."""
    environment.ensure(ROOT, environment.EMULATOR)
    with tempfile.TemporaryDirectory(prefix="adapters-", dir=ROOT / ".local") as name:
        site = cloud.Site.of(ROOT, Path(name))
        for folder in ("tmp", "home", "logs"):
            (site.folder / folder).mkdir()
        keys = Keys("AKIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30))
        token, port = secrets.token_hex(16), processes.free_port()
        empty = Cloud(token, region, account, port, 0, keys, Keys("", ""), (), switches)
        variables = emulator.variables(site.emulator_python, site.folder, empty, os.environ)
        command = emulator.command(site.emulator_python, site.root)
        process = processes.spawn("emulator", command, variables, site.folder / "logs" / "emulator.log", site.folder)
        try:
            deadline = time.monotonic() + START_LIMIT_S
            while _status(port, "GET", "/_ministack/ready") != 200:
                log = (site.folder / "logs" / "emulator.log").read_text()[-2000:]
                assert processes.is_alive(process), log
                assert time.monotonic() < deadline, log
                time.sleep(0.1)
            yield MiniStack(port, keys)
        finally:
            processes.end((process,), token)


def _status(port: int, method: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
