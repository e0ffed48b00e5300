"""What the SLOs judge of an answer: its time without the upstream's own, which the proxy reports."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from chalicelib.domain.options import Slo
from chalicelib.load import split
from chalicelib.load.histogram import Histogram
from chalicelib.load.recorder import Recorder
from chalicelib.phases.load_test.slo import Figures, SloVerdict, judge

REQUESTS = 120  # of the default load


def answer(took_s: float, upstream_ms: float | None, *, first_s: float = 0.0) -> Any:
    """A good answer that was due and sent at 0; with first_s a stream, whose first byte came then."""
    header = "" if upstream_ms is None else f"x-proxy-overhead-ms: 1\r\nx-proxy-upstream-ms: {upstream_ms}\r\n"
    head = f"HTTP/1.1 200 OK\r\n{header}\r\n".encode()
    return SimpleNamespace(head=head, due=0.0, sent=0.0, end=took_s, first=first_s, events=int(first_s > 0))


def compared(name: str, wire: Any) -> Histogram:
    recorder = Recorder(start=0.0)
    for _ in range(REQUESTS):
        split.note(recorder, wire)
    return Histogram(recorder.series[name][0])


def verdict(histogram: Histogram, slo: str, **figures: Any) -> SloVerdict:
    judged = judge(Figures(REQUESTS, 0, 4.0, histogram, {}, **figures), Slo(), None, "seed")
    return next(result.verdict for result in judged if result.slo == slo)


@pytest.mark.parametrize(
    ("took_s", "upstream_ms", "expected"),
    [
        (60.0, 59_000, SloVerdict.PASSED),  # a model that thinks for a minute, and a cold start of a second
        (60.0, 57_000, SloVerdict.FAILED),  # three seconds are not the model's
        (60.0, None, SloVerdict.FAILED),  # nothing says that the model took them
    ],
)
def test_a_model_that_thinks_does_not_fail_the_first_deploy_with_a_real_key(
    took_s: float, upstream_ms: float | None, expected: SloVerdict
) -> None:
    """Issue 10, row u: 120 completions against the default p99 of 2 s."""
    assert verdict(compared("total", answer(took_s, upstream_ms)), "p99_ms") is expected


@pytest.mark.parametrize(("first_s", "expected"), [(30.5, SloVerdict.PASSED), (33.0, SloVerdict.FAILED)])
def test_of_a_stream_the_first_byte_is_judged_and_not_its_end(first_s: float, expected: SloVerdict) -> None:
    first = compared("first_byte", answer(600.0, 30_000, first_s=first_s))
    assert verdict(Histogram(), "first_byte_p99_ms", first_byte=first) is expected
