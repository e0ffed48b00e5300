"""Calls of one function wait for a process instead of starting another without end.

MiniStack starts a process for each call of a function that is under way, as Lambda starts an execution environment. A
Lambda of the control plane costs a second of one core to start: twenty rollouts at once, or a hundred clients that
poll, would start hundreds and take the machine's cores and memory from all others. Above a ceiling a call waits until
a process is free. Its own time-out begins when it runs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.3


@dataclass(frozen=True)
class Ceilings:
    """Processes a function, by the kind of its runtime. unbounded: part of the names of functions without a ceiling.

    patience_s: after that a process is started all the same, so that a function that calls itself cannot wait for ever.
    """

    python: int = 4
    provided: int = 16  # the proxy: a process without imports, 0.1 s to start
    unbounded: tuple[str, ...] = ("LoadWorker",)  # its calls begin at an agreed time, all of them together
    patience_s: float = 60.0

    def of(self, name: str, runtime: str) -> int | None:
        """The function's ceiling; None without one."""
        if any(part in name for part in self.unbounded):
            return None
        return self.provided if runtime.startswith("provided") else self.python


def install(lambda_svc: Any, ceilings: Ceilings, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
    """Patch MiniStack's module `services.lambda_svc`, whose calls have a thread each."""
    original = lambda_svc.acquire_worker

    def acquire(name: str, config: dict[str, Any], code_zip: bytes, qualifier: str = "$LATEST") -> tuple[Any, str]:
        ceiling, deadline, pause = ceilings.of(name, config.get("Runtime", "")), now() + ceilings.patience_s, 0.0
        while ceiling and now() < deadline:
            leased: tuple[Any, str] = original(name, config, code_zip, qualifier, max_concurrency=ceiling)
            if leased[0] is not None:
                return leased
            pause = min(_LONGEST_PAUSE_S, pause * 2 or _FIRST_PAUSE_S)
            sleep(pause)
        started: tuple[Any, str] = original(name, config, code_zip, qualifier)
        return started

    lambda_svc.acquire_worker = acquire


def install_with_clock(lambda_svc: Any) -> None:
    """The ceilings of the embedded cloud, in real time."""
    install(lambda_svc, Ceilings(), time.monotonic, time.sleep)
