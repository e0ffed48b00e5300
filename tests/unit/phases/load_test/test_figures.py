"""What the SLOs judge, taken from a run's summary."""

from __future__ import annotations

from typing import Any

from chalicelib.load.histogram import Histogram
from chalicelib.load.shard import Summary
from chalicelib.phases.load_test.cursor import LoadCursor
from chalicelib.phases.load_test.figures import figures_of

from tests.fakes.requests import request
from tests.unit.phases.load_test.test_slo_rows import samples


def summary(**other: Any) -> Summary:
    """A hundred answers of 2 s each, of which the upstream took nearly all."""
    whole = samples((2_000_000, 100))
    measured: dict[str, Any] = {
        "due": 100,
        "sent": 100,
        "good": 100,
        "unsent": 0,
        "events": 0,
        "streamed_s": 0.0,
        "connections": 1,
        "errors": {},
        "response": whole,
        "service": whole,
        "first_byte": Histogram(),
        "pacing": Histogram(),
        "by_second": {0: whole},
    }
    return Summary(**measured | other)


def test_the_response_time_that_is_judged_is_without_the_upstreams_own() -> None:
    series = {"total": {0: samples((40_000, 60)), 1: samples((50_000, 40))}}
    response = figures_of(summary(series=series), request(), LoadCursor()).response
    assert response.total == 100
    assert (response.percentile(1.0) or 0) < 60_000


def test_without_the_proxys_headers_the_whole_time_is_judged() -> None:
    response = figures_of(summary(), request(), LoadCursor()).response
    assert (response.percentile(0.5) or 0) > 1_900_000
