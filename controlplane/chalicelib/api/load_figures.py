"""The figures of a running load test, one record a worker, as one row of the API's answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from chalicelib.domain.model import PhaseRecord, PhaseStatus

from .responses import LoadView

_PHASE = "load_test"


def is_measuring(recorded: Iterable[PhaseRecord]) -> bool:
    """Whether the load test runs; at any other time its figures are in its evidence."""
    return any(row.name == _PHASE and row.status is PhaseStatus.RUNNING for row in recorded)


def show_load(workers: Sequence[Mapping[str, object]]) -> LoadView | None:
    """All workers together; None before the first has written. workers: see `load.watch.live_figures`."""
    if not workers:
        return None
    medians, tails = _numbers(workers, "p50_ms"), _numbers(workers, "p99_ms")
    return LoadView(
        second=int(max(_numbers(workers, "second"), default=0)),
        workers=len(workers),
        due=_total(workers, "due"),
        sent=_total(workers, "sent"),
        good=_total(workers, "good"),
        failed=_total(workers, "failed"),
        unsent=_total(workers, "unsent"),
        p50_ms=median(medians) if medians else None,
        p99_ms=max(tails, default=None),
    )


def _total(workers: Sequence[Mapping[str, object]], name: str) -> int:
    return int(sum(_numbers(workers, name)))


def _numbers(workers: Iterable[Mapping[str, object]], name: str) -> list[float]:
    """What the workers wrote under that name; records of another version may lack it."""
    values = (worker.get(name) for worker in workers)
    return [float(value) for value in values if isinstance(value, int | float)]
