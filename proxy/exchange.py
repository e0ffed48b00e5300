"""What is known about one request: filled in while it runs, read once by the telemetry when it ends."""

from __future__ import annotations

from dataclasses import dataclass

CALLER_GONE = "caller_gone"  # the caller hung up before the end: noted, but no error of the service


@dataclass(slots=True)
class Exchange:
    """Facts of one request. Times are seconds on Clock.monotonic(); nothing here holds a key or a prompt."""

    request_id: str
    started: float
    method: str = ""
    path: str = ""
    gateway_id: str = ""
    invocation_id: str = ""
    client: str = ""  # the id of the client key, never the key
    candidate: bool = False  # came in through /_candidate: a test, not a user
    model: str = ""  # as the caller named it
    target: str = ""  # as it was sent upstream
    attempts: int = 0
    reconnects: int = 0  # stale connections replaced; the upstream saw nothing of them
    status: int = 0
    upstream_status: int = 0
    upstream_request_id: str = ""
    upstream_s: float = 0.0  # time spent waiting for the upstream
    waited_s: float = 0.0  # time spent in backoff between attempts
    caller_s: float = 0.0  # time spent handing the body over, which a slow reader stretches
    first_byte: float | None = None  # when the first byte of the body arrived from the upstream
    first_byte_overhead_s: float = 0.0  # the proxy's own time until then
    ended: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    streamed: bool = False
    upstream: str = ""  # the name of the upstream in the secret; empty for the default one
    is_callers: bool = False  # a status of 500 or above that is the caller's doing
    upstream_error: str = ""  # the code of an error that the upstream told within a stream
    error: str = ""  # a code, never a message of somebody else's

    def overhead_s(self, now: float) -> float:
        """Time the proxy itself took until now: not the upstream's, not asked-for backoff, not the caller's reading."""
        return max(0.0, now - self.started - self.upstream_s - self.waited_s - self.caller_s)

    def begin_body(self, now: float) -> None:
        """Note that the body's first byte is there; later ones change nothing."""
        if self.first_byte is None:
            self.first_byte, self.first_byte_overhead_s = now, self.overhead_s(now)


class CallerGone(Exception):
    """The caller has hung up: the answer has no reader any more."""
