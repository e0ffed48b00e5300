"""Facts about locks: one holder at a time, and the kernel, not a clean-up, frees those of the dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import locks

HOLDER = """
import pathlib, subprocess, sys
from local import locks
with locks.hold(pathlib.Path(sys.argv[1]), 5, inherited=True):
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=0, close_fds=False)
    print(worker.pid, flush=True)
    worker.wait()
"""


def is_free(path: Path) -> bool:
    try:
        with locks.hold(path, 0.1):
            return True
    except locks.LockTimeout:
        return False


def test_one_process_holds_it_and_a_waiting_one_is_notified_once(tmp_path: Path) -> None:
    notices: list[str] = []
    path = tmp_path / "folder" / "a.lock"
    with (
        locks.hold(path, 1),
        pytest.raises(locks.LockTimeout),
        locks.hold(path, 0.3, waiting=lambda: notices.append("")),
    ):
        pass
    assert len(notices) == 1
    assert is_free(path)


def test_what_a_killed_holder_left_at_work_holds_it_until_it_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    read, write = os.pipe()  # the worker ends when nobody can write to it any more
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=read, stdout=subprocess.PIPE, text=True)
    os.close(read)
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.kill()
    holder.wait(10)
    assert not is_free(path)
    os.close(write)
    with locks.hold(path, 10):
        pass
    holder.stdout.close()
