"""Advisory locks on files: one holder at a time, and a lock ends with its holder. Standard library only."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0


class LockTimeout(TimeoutError):
    """Another process held the lock until the time limit."""


@contextlib.contextmanager
def hold(
    path: Path, limit_s: float, *, waiting: Callable[[], None] = lambda: None, inherited: bool = False
) -> Iterator[None]:
    """Hold the lock file `path`; its folder is created. Raises LockTimeout after `limit_s` seconds.

    waiting: called once when another process holds the lock. inherited: child processes started with `close_fds=False`
    hold the lock too, so that the next run waits for what a killed parent left running.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        if inherited:
            os.set_inheritable(handle.fileno(), True)
        _acquire(handle.fileno(), path, limit_s, waiting)
        yield


def _acquire(descriptor: int, path: Path, limit_s: float, waiting: Callable[[], None]) -> None:
    deadline, pause_s = time.monotonic() + limit_s, _FIRST_PAUSE_S
    while not _try_lock(descriptor):
        if pause_s == _FIRST_PAUSE_S:
            waiting()
        if time.monotonic() > deadline:
            raise LockTimeout(f"another process has held {path} for {limit_s:.0f} s")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LAST_PAUSE_S)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
