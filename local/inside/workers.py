"""Calls of a function wait for their turn instead of starting a process each without end.

MiniStack starts a process for each call of a function that is under way, as Lambda starts an execution environment. A
Lambda of the control plane costs a second of one core to start: twenty rollouts at once, or a hundred clients that
poll, would start hundreds and take the machine's cores and memory from all others. Above a ceiling a call waits until
another has ended, before it counts in the account's concurrency and before its own time-out begins.
"""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

_REPLACED_IDLE_S = 60.0
_UNPUBLISHED = "$LATEST"


@dataclass(frozen=True)
class Ceilings:
    """Calls under way at once: of one function by the kind of its runtime, and of all the control plane's together.

    apart: parts of the names of functions that count for themselves: the API answers also while phases wait. unbounded:
    parts of the names of functions without a ceiling. patience_s: after that a call begins all the same, so that a
    function that calls itself cannot wait for ever.
    """

    python: int = 4
    provided: int = 16  # the proxy: a process without imports, 0.1 s to start
    together: int = 3 * (os.cpu_count() or 1)  # most of a phase's time is waiting
    apart: tuple[str, ...] = ("APIHandler",)
    unbounded: tuple[str, ...] = ("LoadWorker",)  # its calls begin at an agreed time, all of them together
    patience_s: float = 60.0


@dataclass
class Turns:
    """Who runs and who waits."""

    ceilings: Ceilings
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _here: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        limits = {"provided": self.ceilings.provided, "python": self.ceilings.python}
        self._of: dict[str, dict[str, threading.Semaphore]] = {
            kind: defaultdict(partial(threading.Semaphore, limit)) for kind, limit in limits.items()
        }
        self._together = threading.Semaphore(self.ceilings.together)

    @contextmanager
    def turn(self, name: str, version: str, runtime: str) -> Iterator[None]:
        """Wait for this call's turn, and give it back afterwards. A call within a call of its thread has it already."""
        if getattr(self._here, "has_turn", False) or any(part in name for part in self.ceilings.unbounded):
            yield
            return
        with ExitStack() as held:
            for semaphore in self._ceilings_of(name, version, runtime):
                if semaphore.acquire(timeout=self.ceilings.patience_s):
                    held.callback(semaphore.release)
            self._here.has_turn = True
            held.callback(setattr, self._here, "has_turn", False)
            yield

    def _ceilings_of(self, name: str, version: str, runtime: str) -> Iterator[threading.Semaphore]:
        kind = "provided" if runtime.startswith("provided") else "python"
        with self._guard:
            own = self._of[kind][f"{name}:{version}"]
        yield own
        if kind == "python" and not any(part in name for part in self.ceilings.apart):
            yield self._together


def install(lambda_svc: Any, ceilings: Ceilings | None = None) -> None:
    """Patch MiniStack's module `services.lambda_svc`, whose calls have a thread each."""
    original: Callable[[dict[str, Any], Any], dict[str, Any]] = lambda_svc._execute_function
    turns = Turns(ceilings or Ceilings())

    def execute(func: dict[str, Any], event: Any) -> dict[str, Any]:
        config = func.get("config") or func
        name, version = str(config.get("FunctionName", "")), str(config.get("Version", "$LATEST"))
        with turns.turn(name, version, str(config.get("Runtime", ""))):
            return original(func, event)

    lambda_svc._execute_function = execute


def end_replaced(lambda_svc: Any, runtime: Any, clock: Callable[[], float] = time.time) -> None:
    """Patch the reaper of MiniStack's module `services.lambda_svc`, which keeps a process of each version for ever.

    Every upgrade of the control plane would leave as many as there are functions. runtime: `core.lambda_runtime`.
    """
    original: Callable[..., int] = lambda_svc.reap_idle_workers

    def reap(ttl: float | None = None) -> int:
        with runtime._lock:
            keys = list(replaced(runtime._workers, lambda_svc._functions._data, clock() - _REPLACED_IDLE_S))
            ended = [worker for key in keys for worker in runtime._workers.pop(key)]
        runtime.kill_workers(ended)
        return len(ended) + original(ttl)

    lambda_svc.reap_idle_workers = reap


def replaced(pools: Mapping[str, Sequence[Any]], functions: Mapping[Any, Any], idle_since: float) -> Iterator[str]:
    """Keys of pools whose version no alias points to, and whose processes have all been idle since then.

    pools: by `account:region:function:version`. functions: MiniStack's records by account, region and name.
    """
    for key, processes in pools.items():
        *place, version = key.split(":")
        record = functions.get(tuple(place))
        is_idle = all(not process.in_use and process.last_used < idle_since for process in processes)
        if record is not None and is_idle and version not in (_UNPUBLISHED, *_on_aliases(record)):
            yield key


def _on_aliases(record: Mapping[str, Any]) -> Iterator[str]:
    for alias in record.get("aliases", {}).values():
        yield str(alias.get("FunctionVersion"))
        yield from (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
