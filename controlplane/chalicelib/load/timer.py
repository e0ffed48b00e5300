"""A timer that is accurate to about ten microseconds; an event loop's own timers are accurate to a millisecond.

On Linux it is a timerfd, which the loop polls like a socket, so nothing runs between two requests. A process that polls
the clock instead loses its core to others when the core is shared, and in a Lambda of less than one vCPU when its CPU
quota is used up. On other systems the last 1.5 ms before a request is spent polling the clock.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from collections.abc import Callable

_ITIMERSPEC = struct.Struct("@qqqq")  # interval and value, each in seconds and nanoseconds
_NONBLOCK = 0o4000 | 0o2000000  # TFD_NONBLOCK | TFD_CLOEXEC
_MONOTONIC = 1  # CLOCK_MONOTONIC
_SOONEST_NS = 1  # zero would disarm the timer
# A sleeping core needs time to wake, so the timer fires this much early and the caller polls the clock.
_LEAD_S = 0.0002
_COARSE_S = 0.0015


class Timer:
    """Calls `wake` at the time that was set, or slightly before, on the loop that was running at its creation."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle | None = None
        self._fd = _timerfd()
        if self._fd >= 0:
            self._loop.add_reader(self._fd, wake)

    def start(self, seconds: float) -> None:
        """Call `wake` for the first time, in `seconds`."""
        if self._fd >= 0:
            _settime(self._fd, seconds)
        else:
            self.again(seconds)

    def again(self, seconds: float) -> None:
        """Call `wake` once more, in `seconds`. `wake` itself must call this or `close`; nobody else may."""
        if self._fd >= 0:
            # Nobody reads the fd, so it wakes the loop at every turn until it is set again.
            if seconds > _LEAD_S:
                _settime(self._fd, seconds)
            return
        coarse = seconds - _COARSE_S
        self._handle = self._loop.call_later(coarse, self._wake) if coarse > 0 else self._loop.call_soon(self._wake)

    def close(self) -> None:
        """Never call `wake` again."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        elif self._handle is not None:
            self._handle.cancel()
            self._handle = None


def _settime(fd: int, seconds: float) -> None:
    whole, rest = divmod(max(_SOONEST_NS, int((seconds - _LEAD_S) * 1e9)), 1_000_000_000)
    _LIBC.timerfd_settime(fd, 0, _ITIMERSPEC.pack(0, 0, whole, rest), None)


def _timerfd() -> int:
    """A new timerfd; -1 where the system has none. (Python has os.timerfd_create from 3.13 on.)"""
    return int(_LIBC.timerfd_create(_MONOTONIC, _NONBLOCK)) if sys.platform == "linux" else -1


_LIBC = ctypes.CDLL(None)
