"""Some hundred fuzzed inputs of fixed seeds and every request of the seed corpus; `make fuzz` runs 100,000 new ones."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.errors import PhaseFailed

from tests.fakes import FakeAws
from tests.fakes.served_api import STAGE, Gateway
from tests.functional.api.world import SECRET
from tests.fuzz import api


@pytest.mark.parametrize("seed", [1, 2])
def test_no_input_breaks_the_api_and_memory_stays_flat(seed: int) -> None:
    report = api.Fuzzer(seed).run(500)
    assert report.failures == []
    assert report.inputs == 500
    assert {200, 202, 400, 404, 409} <= set(report.answers)


def test_every_request_of_the_corpus_is_right_and_every_route_is_in_it() -> None:
    fuzzer = api.Fuzzer(0)
    routes = {fuzzer.gateway.route(each.method, STAGE + each.path)[0] for each in fuzzer.corpus}  # type: ignore[index]
    assert routes == set(fuzzer.gateway.routes)
    for sent in fuzzer.corpus:
        fuzzer.send(sent)
    assert fuzzer.report.failures == []
    assert fuzzer.report.answers[400] <= 2


def _raises(_gateway: Gateway, aws: FakeAws) -> None:
    def bug(*_given: Any, **_named: Any) -> Any:
        raise ValueError("planted")

    aws.nights.concluded = bug  # type: ignore[method-assign]


def _quotes(_gateway: Gateway, aws: FakeAws) -> None:
    def quoting(*_given: Any, **_named: Any) -> Any:
        raise PhaseFailed(f"cannot read {SECRET['api_key']}")

    aws.nights.concluded = quoting  # type: ignore[method-assign]


@pytest.mark.parametrize(("plant", "word"), [(_raises, "500"), (_quotes, "quotes")])
def test_a_planted_fault_is_found(plant: Any, word: str) -> None:
    fuzzer = api.Fuzzer(0, plant)
    fuzzer.send(api.Input("GET", "/nights"))
    assert any(word in failure for failure in fuzzer.report.failures)


@pytest.mark.parametrize(
    ("status", "body", "took_s", "count"),
    [
        (200, b"{}", 4.9, 0),
        (200, b"{}", 5.1, 1),
        (500, b"{}", 0, 1),
        (400, b'{"error": {"code": "X", "message": "m"}}', 0, 0),
        (400, b'{"error": {"code": "X", "message": ""}}', 0, 1),
        (400, b"no", 0, 1),
    ],
)
def test_what_counts_as_a_problem(status: int, body: bytes, took_s: float, count: int) -> None:
    assert len(api.problems(status, body, took_s)) == count


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/json; charset=utf-16", ""])
def test_a_get_is_answered_whatever_type_its_missing_body_has(kind: str) -> None:
    """Found by the fuzzer: Chalice answered 415 in a shape of its own."""
    fuzzer = api.Fuzzer(0)
    fuzzer.send(api.Input("GET", "/health", headers={"content-type": kind}))
    assert dict(fuzzer.report.answers) == {200: 1}
