"""A timer that is exact to some ten microseconds, for an event loop whose own timers count in milliseconds.

On Linux it is one of the kernel's (timerfd), which the loop waits for as for a socket: between two requests nothing
runs. That matters twice: a process that looks at the clock all the time is made to wait when the core is shared, and in
a Lambda of less than one vCPU when its quota is used up. Elsewhere the last moment is spent looking at the clock.
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
_SOONEST_NS = 1  # zero would switch it off
# A sleeping core takes its time to wake: the last moment before a time is spent looking.
_LEAD_S = 0.0002
_COARSE_S = 0.0015


class Timer:
    """Calls `wake` when it is time, or a moment before, from the loop that was running when it was made."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle | None = None
        self._fd = _timerfd()
        if self._fd >= 0:
            self._loop.add_reader(self._fd, wake)

    def start(self, seconds: float) -> None:
        """Wake for the first time, in so many seconds."""
        if self._fd >= 0:
            _settime(self._fd, seconds)
        else:
            self.again(seconds)

    def again(self, seconds: float) -> None:
        """Wake once more, in so many seconds. Only `wake` itself may ask for that, and must, or `close`."""
        if self._fd >= 0:
            # Nobody reads from it, so it goes on waking at every turn of the loop until it is set anew.
            if seconds > _LEAD_S:
                _settime(self._fd, seconds)
            return
        coarse = seconds - _COARSE_S
        self._handle = self._loop.call_later(coarse, self._wake) if coarse > 0 else self._loop.call_soon(self._wake)

    def close(self) -> None:
        """No more waking, ever."""
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
    """A new one; -1 where there is none. (Python itself has them from 3.13 on.)"""
    return int(_LIBC.timerfd_create(_MONOTONIC, _NONBLOCK)) if sys.platform == "linux" else -1


_LIBC = ctypes.CDLL(None)
