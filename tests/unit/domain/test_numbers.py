"""Numbers that the record cannot hold, and lists that no cost guard sees, are refused at the field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalicelib.adapters import items
from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Load, Options
from hypothesis import given
from hypothesis import strategies as st

TINY = ["1e-200", "5e-324", "1e-130", "1e-10"]


def refused(kind: type[Any], body: Any, under: str) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        decode(kind, body, under=under)
    return caught.value


@pytest.mark.parametrize("number", TINY)
@pytest.mark.parametrize(
    ("kind", "under", "body", "field"),
    [
        (Config, "config", {"alarms": {"error_rate": 0}}, "config.alarms.error_rate"),
        (Config, "config", {"ttl_hours": 0}, "config.ttl_hours"),
        (Options, "options", {"slo": {"error_rate": 0}}, "options.slo.error_rate"),
        (Options, "options", {"max_cost_usd": 0}, "options.max_cost_usd"),
        (Options, "options", {"usd_per_million_tokens": 0}, "options.usd_per_million_tokens"),
        (
            Options,
            "options",
            {"load": {"arrivals": "trace", "trace": [0]}, "slo": {"p99_ms": None}},
            "options.load.trace",
        ),
    ],
)
def test_a_number_too_near_to_0_is_refused_and_0_is_taken(
    number: str, kind: type[Any], under: str, body: dict[str, Any], field: str
) -> None:
    decode(kind, body, under=under)
    tiny = json.loads(json.dumps(body).replace(": 0", f": {number}").replace("[0]", f"[{number}]"))
    assert refused(kind, tiny, under).field == field


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_rate_is_accepted_the_table_can_hold(rate: float) -> None:
    try:
        config = Config(alarms=decode(type(Config().alarms), {"error_rate": rate}))
    except BadRequest:
        return
    items.write({"rate": config.alarms.error_rate})


def test_a_number_of_thousands_of_digits_is_refused_in_few_words() -> None:
    error = refused(Options, {"max_cost_usd": 10**5_000}, "options")
    assert len(error.message) < 300


@pytest.mark.parametrize("trace", [[-5, -1], [0, 99], [float("inf")], [float("nan")]])
def test_a_trace_lies_within_the_load(trace: list[float]) -> None:
    with pytest.raises(BadRequest) as caught:
        Load(arrivals="trace", trace=tuple(trace), duration_s=10)
    assert caught.value.field == "options.load.trace"


@pytest.mark.parametrize("at", [0, 10])
def test_the_ends_of_the_load_belong_to_it(at: float) -> None:
    Load(arrivals="trace", trace=(at,), duration_s=10)


@pytest.mark.parametrize("sizes", [[256] * 10_000, [256, 256], list(range(128, 149))])
def test_a_long_list_of_sizes_or_one_with_repetitions_is_refused(sizes: list[int]) -> None:
    assert refused(Options, {"tune_memory": sizes}, "options").field == "options.tune_memory"


def test_twenty_sizes_are_taken() -> None:
    assert len(Options(tune_memory=tuple(range(128, 148))).tune_memory) == 20
