"""Tasks wait for no other one, and threads that nobody needs end."""

from __future__ import annotations

import threading
import time

import pytest

from proxy.doors import workers


def test_each_task_runs_beside_the_others() -> None:
    pool, barrier, passed = workers.Workers(), threading.Barrier(8), threading.Semaphore(0)

    def meet() -> None:
        barrier.wait(30.0)
        passed.release()

    for _ in range(8):
        pool.run(meet)
    assert all(passed.acquire(timeout=30.0) for _ in range(8))


def test_an_idle_thread_ends_and_a_later_task_gets_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.05)
    pool, threads, done = workers.Workers(), list[threading.Thread](), threading.Event()
    for _ in range(3):
        done.clear()
        pool.run(lambda: (threads.append(threading.current_thread()), done.set()))  # type: ignore[arg-type, func-returns-value]
        assert done.wait(30.0)
        threads[-1].join(30.0)
        assert not threads[-1].is_alive()
    assert len(set(threads)) == 3


def test_no_task_is_lost_while_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.001)
    pool, passed = workers.Workers(), threading.Semaphore(0)
    for number in range(500):
        pool.run(passed.release)
        time.sleep(0.002 if number % 7 == 0 else 0.0)
    assert all(passed.acquire(timeout=30.0) for _ in range(500))


def test_a_bug_in_a_task_costs_no_thread(capsys: pytest.CaptureFixture[str]) -> None:
    pool, done = workers.Workers(), threading.Event()
    pool.run(lambda: 1 // 0)  # type: ignore[arg-type]
    pool.run(done.set)
    assert done.wait(30.0)
    deadline = time.monotonic() + 30.0
    while "ZeroDivisionError" not in capsys.readouterr().err and time.monotonic() < deadline:
        time.sleep(0.01)
    assert time.monotonic() < deadline
