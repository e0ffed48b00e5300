"""Every second of a run: publishes live figures, and asks whether to stop."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.errors import RolloutError
from chalicelib.ports import Aws

from .histogram import Histogram, add, percentiles
from .recorder import Recorder

_RECENT_S = 3  # seconds that live percentiles cover


def watcher(deployment_id: str, worker: int, aws: Aws) -> Callable[[Recorder, float], bool]:
    """A function of the recorder and the seconds since the start; it answers whether to stop."""

    def watch(recorder: Recorder, elapsed_s: float) -> bool:
        try:
            aws.live_figures.put(deployment_id, worker, live_figures(recorder, elapsed_s))
            return aws.records.deployment(deployment_id).abort_requested
        except RolloutError:
            # Missing figures are replaced a second later; a run that stopped for them would be lost.
            return False

    return watch


def live_figures(recorder: Recorder, elapsed_s: float) -> dict[str, object]:
    """Counts since the start, and percentiles (ms) of the last three seconds."""
    recent = [
        Histogram(list(counts))
        for second, counts in list(recorder.response.items())
        if elapsed_s - _RECENT_S <= second <= elapsed_s
    ]
    latency = percentiles(add([Histogram(), *recent]))
    return {
        "second": int(elapsed_s),
        "due": recorder.due,
        "sent": recorder.sent,
        "good": recorder.good,
        "failed": recorder.errors.total(),
        "unsent": recorder.unsent,
        "p50_ms": latency.p50,
        "p99_ms": latency.p99,
    }
