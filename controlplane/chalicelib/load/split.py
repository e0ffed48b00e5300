"""Splits an answer's time by its headers: in the proxy, in the upstream, and the rest between client and proxy."""

from __future__ import annotations

from .recorder import Recorder
from .wire import Wire

# The proxy's headers as API Gateway passes them on.
_ANY = b"\r\nx-proxy-"
_OVERHEAD = b"\r\nx-proxy-overhead-ms:"
_UPSTREAM = b"\r\nx-proxy-upstream-ms:"


def note(recorder: Recorder, wire: Wire) -> None:
    """Count the shares of a good answer, as far as its headers have them."""
    head = wire.head
    end = head.find(b"\r\n\r\n")
    if head.find(_ANY, 0, end) < 0:
        _compare(recorder, wire, 0.0)
        return
    head = head[:end]
    overhead, upstream = _seconds(head, _OVERHEAD), _seconds(head, _UPSTREAM)
    if overhead is not None:
        recorder.part("proxy", overhead)
    if upstream is not None:
        recorder.part("upstream", upstream)
    if overhead is not None and upstream is not None:
        recorder.part("gateway", max(0.0, wire.end - wire.sent - overhead - upstream))
    if overhead is not None and wire.due is not None:
        recorder.compare("overhead", wire.due, overhead)
    _compare(recorder, wire, upstream or 0.0)


def _compare(recorder: Recorder, wire: Wire, upstream: float) -> None:
    """Count the time from due to the end, or to a stream's first byte, without the upstream's own time.

    How long a model thinks is no fault of a release; how long it streams is not in its header.
    """
    if wire.due is None:
        return
    name, at = ("first_byte", wire.first) if wire.events else ("total", wire.end)
    recorder.compare(name, wire.due, max(0.0, at - wire.due - upstream))


def _seconds(head: bytes, name: bytes) -> float | None:
    at = head.find(name)
    if at < 0:
        return None
    try:
        return float(head[at + len(name) :].partition(b"\r\n")[0]) / 1_000
    except ValueError:
        return None
