"""One at a time: advisory locks on files, which the kernel frees when their holder dies. Standard library only."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0


@contextlib.contextmanager
def held(
    path: Path, limit_s: float, *, waiting: Callable[[], None] = lambda: None, inherited: bool = False
) -> Iterator[None]:
    """Holds the lock of `path`, whose folder is made. Raises TimeoutError after `limit_s` seconds.

    waiting: called once when somebody else holds it. inherited: children that are started with `close_fds=False` hold
    it too, so that what a killed parent leaves at work is waited for, and not worked against.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        if inherited:
            os.set_inheritable(handle.fileno(), True)
        deadline, pause = time.monotonic() + limit_s, _FIRST_PAUSE_S
        while not _taken(handle.fileno()):
            if pause == _FIRST_PAUSE_S:
                waiting()
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process has held {path} for {limit_s:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, _LAST_PAUSE_S)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
