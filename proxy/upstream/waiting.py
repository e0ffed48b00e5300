"""The one way to wait on a socket: until a deadline, and no longer than the caller stays."""

from __future__ import annotations

import errno
import math
import select
import socket

from proxy.exchange import CallerGone

READABLE, WRITABLE = select.POLLIN, select.POLLOUT
NO_CALLER = -1
# Linux reports a peer's hang-up by itself, even behind unread bytes of a pipelined request.
_HANG_UP = getattr(select, "POLLRDHUP", select.POLLIN)


def wait(descriptor: int, event: int, seconds: float, caller: int = NO_CALLER) -> None:
    """Wait for an event on a descriptor.

    Raises OSError (TimeoutError at the limit), CallerGone when `caller` hangs up.
    """
    if descriptor < 0:
        raise OSError(errno.EBADF, "the socket is closed")  # by another thread
    poll = select.poll()
    poll.register(descriptor, event)
    if caller >= 0:
        poll.register(caller, _HANG_UP)
    ready = poll.poll(_milliseconds(seconds))
    if not ready:
        raise TimeoutError
    if caller >= 0 and any(each == caller and _has_hung_up(caller, flags) for each, flags in ready):
        raise CallerGone


def pause(seconds: float, caller: int) -> None:
    """Let time pass. Raises CallerGone as soon as the caller hangs up."""
    poll = select.poll()
    poll.register(caller, _HANG_UP)
    for each, flags in poll.poll(_milliseconds(seconds)):
        if _has_hung_up(each, flags):
            raise CallerGone


def is_readable(descriptor: int) -> bool:
    """Whether there is anything to read now: bytes, or the end of the connection."""
    poll = select.poll()
    poll.register(descriptor, READABLE)
    return bool(poll.poll(0))


def _milliseconds(seconds: float) -> int:
    """For poll, which would wait for ever for less than 0. Rounded up: a wait must not end too early."""
    return max(0, math.ceil(seconds * 1000.0))


def _has_hung_up(descriptor: int, flags: int) -> bool:
    if flags & (select.POLLHUP | select.POLLERR) or _HANG_UP != select.POLLIN:
        return True
    # Elsewhere readable may also mean the next request: look at it without taking it.
    with socket.socket(fileno=socket.dup(descriptor)) as peek:
        try:
            return not peek.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
