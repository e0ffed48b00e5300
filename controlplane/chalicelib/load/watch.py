"""Every second of a run: live figures out, and the question whether to stop."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.errors import RolloutError
from chalicelib.ports import Aws

from .histogram import Histogram, add
from .recorder import Recorder
from .report import percentiles

_RECENT_S = 3  # seconds that live percentiles look back on


def watcher(deployment_id: str, worker: int, aws: Aws) -> Callable[[Recorder, float], bool]:
    """A function of the recorder and the seconds since the start that says whether to stop."""

    def watch(recorder: Recorder, elapsed_s: float) -> bool:
        try:
            aws.live_figures.put(deployment_id, worker, _figures(recorder, elapsed_s))
            return aws.records.deployment(deployment_id).abort_requested
        except RolloutError:
            # Figures that do not arrive are missed for a second; a run that stopped for it would be lost.
            return False

    return watch


def _figures(recorder: Recorder, elapsed_s: float) -> dict[str, object]:
    recent = [
        Histogram(list(counts))
        for second, counts in list(recorder.response.items())
        if elapsed_s - _RECENT_S <= second <= elapsed_s
    ]
    shown = percentiles(add([Histogram(), *recent]))
    return {
        "second": int(elapsed_s),
        "due": recorder.due,
        "sent": recorder.sent,
        "good": recorder.good,
        "failed": recorder.errors.total(),
        "unsent": recorder.unsent,
        "p50_ms": shown["p50"],
        "p99_ms": shown["p99"],
    }
