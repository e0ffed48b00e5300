"""Starting processes of ours and ending them, and nobody else's.

Each one leads a session of its own, so that what it starts (the emulator starts one process per Lambda
environment) ends with it. Each carries the cloud's token in its environment: after the groups have ended, whatever
still carries it has escaped its group and is ended too.
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


def spawn(name: str, command: list[str], variables: Mapping[str, str], log: Path, cwd: Path) -> Process:
    """Start a session leader with exactly these environment variables; output is appended to `log`."""
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
    """Whether this very process still runs (a zombie does not)."""
    started = _start_of(process.pid)
    return started is not None and abs(started - process.started) < SAME_START_S


def _start_of(pid: int) -> float | None:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        found = psutil.Process(pid)
        if found.status() != psutil.STATUS_ZOMBIE:
            return float(found.create_time())
    return None


def end(processes: Iterable[Process], token: str, grace_s: float = 5.0) -> int:
    """End these processes, their groups and all that carries the token; answers how many it had to end.

    First SIGTERM, after `grace_s` SIGKILL. Raises RuntimeError when something outlives both.
    """
    ours = [process for process in processes if is_alive(process)]
    for process in ours:
        _signal_group(process.pid, signal.SIGTERM)
    _wait(lambda: not any(is_alive(process) for process in ours), grace_s)
    # A leader that is gone leaves its group behind: what a killed emulator started is found by the token.
    strays = [found for found in carrying(token) if found.pid not in {process.pid for process in ours}]
    for found in strays:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.terminate()
    _wait(lambda: not _any_left(token), grace_s / 2)
    for found in carrying(token):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.kill()
    if not _wait(lambda: not _any_left(token), grace_s):
        left = ", ".join(str(found.pid) for found in carrying(token))
        raise RuntimeError(f"these processes outlive SIGKILL: {left}")
    return len(ours) + len(strays)


def carrying(token: str) -> Iterator[psutil.Process]:
    """Every live process whose environment holds the token, except this one and those that started it."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for found in psutil.process_iter():
        if found.pid in own:
            continue
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
            if found.environ().get(TOKEN_VARIABLE) == token and found.status() != psutil.STATUS_ZOMBIE:
                yield found


def _any_left(token: str) -> bool:
    return any(True for _ in carrying(token))


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def _wait(done: Callable[[], bool], limit_s: float) -> bool:
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
