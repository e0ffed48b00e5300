"""Starts the cloud's processes and ends them, and no others.

Each leads a session of its own, so that its children (the emulator starts one process per Lambda environment) end with
it. Each carries the cloud's token in its environment: a process that still carries it after the groups have ended has
escaped its group, and is ended too.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import psutil

from local.state import Process

TOKEN_VARIABLE = "PROXYCTL_CLOUD"  # noqa: S105 - a name, not a secret
# create_time() is derived from the boot time, which moves a little when the clock is set.
SAME_START_S = 2.0


class StillRunning(Exception):
    """A process survived SIGKILL; the message holds its pid."""


def spawn(name: str, command: list[str], variables: Mapping[str, str], log: Path, cwd: Path) -> Process:
    """Start a session leader with exactly these environment variables; its output is appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env=dict(variables),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(name, child.pid, _start_of(child.pid) or time.time())


def is_alive(process: Process) -> bool:
    """Whether this process still runs, and not a later one with its pid (a zombie does not run)."""
    started = _start_of(process.pid)
    return started is not None and abs(started - process.started) < SAME_START_S


def _start_of(pid: int) -> float | None:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return float(process.create_time())
    return None


def end(processes: Iterable[Process], token: str, grace_s: float = 5.0) -> int:
    """End these processes, their groups and every process that carries the token; returns how many were running.

    First SIGTERM, after `grace_s` SIGKILL. Raises StillRunning when a process survives both.
    """
    leaders = [process for process in processes if is_alive(process)]
    for process in leaders:
        _signal_group(process.pid, signal.SIGTERM)
    _wait(lambda: not any(is_alive(process) for process in leaders), grace_s)
    # The group of a leader that has died already is reached through the token only.
    strays = [stray for stray in carrying(token) if stray.pid not in {process.pid for process in leaders}]
    _signal_each(strays, signal.SIGTERM)
    _wait(lambda: not _any_left(token), grace_s / 2)
    _signal_each(carrying(token), signal.SIGKILL)
    if not _wait(lambda: not _any_left(token), grace_s):
        raise StillRunning(f"processes survive SIGKILL: {', '.join(str(item.pid) for item in carrying(token))}")
    return len(leaders) + len(strays)


def end_groups(leaders: Iterable[Process]) -> None:
    """SIGTERM to the groups of these processes, without waiting for their end."""
    for process in leaders:
        if is_alive(process):
            _signal_group(process.pid, signal.SIGTERM)


def _signal_each(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def carrying(token: str) -> Iterator[psutil.Process]:
    """Every live process whose environment holds the token, except this one and its ancestors."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        if process.pid in own:
            continue
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
            if process.environ().get(TOKEN_VARIABLE) == token and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _any_left(token: str) -> bool:
    return any(True for _ in carrying(token))


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _wait(done: Callable[[], bool], limit_s: float) -> bool:
    """Whether `done` came true within the limit."""
    deadline = time.monotonic() + limit_s
    pause_s = 0.02
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.25)
    return True


def free_port(preferred: int | None = None) -> int:
    """A port on 127.0.0.1 that nobody listens on; the preferred one when it is free."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could bind 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
