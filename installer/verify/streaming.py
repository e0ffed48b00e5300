"""Watches an answer arrive, chunk by chunk, and times answers without a body. Standard library only."""

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_TIMEOUT_S = 40.0
# A stream that something on the way collects arrives at once; the stub takes 1.5 s for its words.
_LEAST_SPREAD_S = 0.5


@dataclass(frozen=True)
class Arrival:
    """A piece of the body, and when it came (s after the request)."""

    at_s: float
    text: str


@dataclass(frozen=True)
class Stream:
    """A streamed answer as it came."""

    status: int
    content_type: str
    arrivals: Sequence[Arrival]

    @property
    def text(self) -> str:
        """The whole body."""
        return "".join(arrival.text for arrival in self.arrivals)

    @property
    def came_in_pieces(self) -> bool:
        """Whether it arrived over time, and not all at once at its end."""
        times = [arrival.at_s for arrival in self.arrivals]
        return len(times) > 2 and times[-1] - times[0] >= _LEAST_SPREAD_S


def watch(base_url: str, key: str, model: str) -> Stream:
    """A streamed chat completion. Raises OSError, http.client.HTTPException."""
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "count"}]})
    connection, path = _connect(base_url)
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    try:
        began = time.monotonic()
        connection.request("POST", f"{path}/chat/completions", body, headers)
        reply = connection.getresponse()
        arrivals = []
        while piece := reply.read1(65_536):
            arrivals.append(Arrival(time.monotonic() - began, piece.decode(errors="replace")))
        return Stream(reply.status, reply.headers.get("content-type", ""), arrivals)
    finally:
        connection.close()


def answer_time(method: str, base_url: str, key: str, origin: str = "") -> tuple[int, float]:
    """Status and seconds of `method` on /models. Raises OSError when no answer comes within the time."""
    connection, path = _connect(base_url)
    headers = {"authorization": f"Bearer {key}"}
    if origin:
        headers |= {"origin": origin, "access-control-request-method": "GET"}
    try:
        began = time.monotonic()
        connection.request(method, f"{path}/models", headers=headers)
        reply = connection.getresponse()
        reply.read()
        return reply.status, time.monotonic() - began
    finally:
        connection.close()


def _connect(base_url: str) -> tuple[http.client.HTTPConnection, str]:
    parts = urlsplit(base_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.netloc, timeout=_TIMEOUT_S), parts.path
