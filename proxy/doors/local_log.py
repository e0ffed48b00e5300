"""The log of the local door: the same lines without metrics, for which nobody pays on a developer's machine.

Powertools takes longer for a line than the proxy for the rest of a request (bench/proxy), and half a second to import.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from typing import TYPE_CHECKING

from proxy.log_line import Value, fields_of, is_failure
from proxy.telemetry import Telemetry

if TYPE_CHECKING:
    from proxy.clock import Clock
    from proxy.exchange import Exchange

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


class LocalLog(Telemetry):
    """Writes lines to standard output."""

    def __init__(self, level: str, clock: Clock) -> None:
        super().__init__("local", level, clock)
        self._least = _LEVELS[level]

    def request_ended(self, exchange: Exchange) -> None:
        """Write the line of a request."""
        now = exchange.ended = self._clock.monotonic()
        self._line("ERROR" if is_failure(exchange) else "INFO", "request", fields_of(exchange, now))

    def secret_failed(self, reason: str) -> None:
        """Write that the secret could not be read or decoded."""
        self._line("ERROR", "secret unusable", {"reason": reason})

    def _line(self, level: str, message: str, fields: dict[str, Value]) -> None:
        if _LEVELS[level] < self._least:
            return
        wall = self._clock.wall()
        moment = f"{_second(int(wall))}.{int(wall % 1 * 1000):03d}Z"
        line = json.dumps({"level": level, "message": message, "timestamp": moment, "service": "proxy", **fields})
        with self._lock:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


@functools.lru_cache(maxsize=4)  # many lines share a second
def _second(wall: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall))
