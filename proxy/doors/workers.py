"""Threads that answer requests: as many as there are requests at a time, kept a while for the next ones."""

from __future__ import annotations

import sys
import threading
import traceback
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_S = 5.0  # how long a thread waits for another task
STACK = 512 * 1024  # bytes; the default of 8 MB is address space that a thousand threads do not need


class Workers:
    """Runs tasks at once; a task waits for no other one. Threads end when they are idle, or with the process."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0

    def run(self, task: Callable[[], None]) -> None:
        """Run a task in a thread that is idle, or a new one."""
        with self._lock:
            is_waiting = self._idle > 0
            self._idle -= is_waiting
        if not is_waiting:
            self._start()
        self._tasks.put(task)

    def _start(self) -> None:
        previous = threading.stack_size(STACK)
        try:
            threading.Thread(target=self._work, daemon=True).start()
        finally:
            threading.stack_size(previous)

    def _work(self) -> None:
        while (task := self._next_task()) is not None:
            try:
                task()
            except Exception:  # noqa: BLE001  (a bug costs its own connection; it is shown without the request)
                traceback.print_exc(file=sys.stderr)
            with self._lock:
                self._idle += 1

    def _next_task(self) -> Callable[[], None] | None:
        """The next task; None when this thread has been idle for long enough."""
        while True:
            try:
                return self._tasks.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        return None
                # A task that counts on an idle thread is about to be put.
