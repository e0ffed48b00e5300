"""A load too small for its bounds is refused at POST, with one that would do."""

from __future__ import annotations

import pytest
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Load, Options, Relative, Slo, requests_of
from chalicelib.load.arrivals import Arrivals


def refusal(load: Load, slo: Slo) -> BadRequest:
    with pytest.raises(BadRequest) as raised:
        Options(load=load, slo=slo)
    return raised.value


def test_a_p99_needs_a_hundred_requests() -> None:
    Options(load=Load(rps=10, duration_s=10))
    refused = refusal(Load(rps=10, duration_s=9), Slo())
    assert refused.field == "options.load"
    assert refused.message == "options.load sends about 90 requests; options.slo.p99_ms needs 100"
    assert refused.remedy == "Set options.load.duration_s to 10 at this rate, or take options.slo.p99_ms away (null)."


@pytest.mark.parametrize(
    "load",
    [
        Load(rps=1, duration_s=60),
        Load(rps=19, duration_s=10, arrivals="ramp"),
        Load(rps=15, duration_s=10, arrivals="step"),
        Load(rps=0.1, duration_s=1),
        Load(rps=3, duration_s=30, arrivals="poisson"),
    ],
)
def test_the_load_of_the_remedy_is_accepted(load: Load) -> None:
    seconds = float(str(refusal(load, Slo()).remedy).split(" to ")[1].split()[0])
    Options(load=Load(rps=load.rps, duration_s=seconds, arrivals=load.arrivals))


def test_a_bound_that_is_taken_away_asks_for_nothing() -> None:
    few = Load(rps=1, duration_s=2)
    Options(load=few, slo=Slo(p99_ms=None))
    assert "overhead_p99_ms needs 100" in refusal(few, Slo(p99_ms=None, overhead_p99_ms=10)).message
    streams = Load(rps=1, duration_s=2, stream=True)
    assert "first_byte_p99_ms needs 100" in refusal(streams, Slo(p99_ms=None)).message
    Options(load=streams, slo=Slo(first_byte_p99_ms=None))
    without = Load(rps=1, duration_s=2, stream=True, upstream="none")
    assert ".p99_ms needs 100" in refusal(without, Slo()).message
    assert "error_rate needs 1" in refusal(Load(rps=0.1, duration_s=1), Slo(p99_ms=None)).message


def test_a_median_against_a_record_needs_200_requests() -> None:
    slo = Slo(slowdown=0.2)
    refused = refusal(Load(rps=10, duration_s=19, baseline="record"), slo)
    assert refused.message == "options.load sends about 190 requests; options.slo.slowdown needs 200"
    assert refused.remedy == "Set options.load.duration_s to 20 at this rate, or take options.slo.slowdown away (null)."
    Options(load=Load(rps=10, duration_s=20, baseline="record"), slo=slo)
    Options(load=Load(rps=10, duration_s=19, baseline="live"), slo=slo)


def test_a_trace_is_counted_within_the_duration() -> None:
    trace = tuple(float(at) for at in range(100))
    Options(load=Load(arrivals="trace", trace=trace, duration_s=100))
    refused = refusal(Load(arrivals="trace", trace=trace[:99], duration_s=100), Slo())
    assert str(refused.remedy).startswith("Give a trace of at least 100 requests within options.load.duration_s")


@pytest.mark.parametrize("shape", ["constant", "ramp", "step", "poisson"])
def test_requests_are_counted_as_the_engine_does(shape: str) -> None:
    load = Load(rps=40, duration_s=10, arrivals=shape)  # type: ignore[arg-type]
    assert requests_of(load) == Arrivals(load.arrivals, 40, 10).expected


@pytest.mark.parametrize("name", ["overhead", "first_byte", "total", "cold_start", "cost"])
def test_relative_bounds_have_a_range(name: str) -> None:
    with pytest.raises(BadRequest, match=f"options.slo.relative.{name}"):
        Relative(**{name: 0.0})
    Relative(**{name: 0.001})
