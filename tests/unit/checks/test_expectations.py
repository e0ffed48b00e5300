"""Judging what was seen."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.checks.expectations import CheckVerdict, Expect, filled, find, judge, not_run
from chalicelib.checks.fault_checks import FAULTS
from chalicelib.checks.reference import all_checks
from chalicelib.domain.codec import encode

FACTS: dict[str, Any] = {"status": 404, "ms": 12.0, "request_id": "r-1"}
FACTS["json"] = {"error": {"code": "x"}, "list": [1, 2]}


@pytest.mark.parametrize(
    ("rule", "value", "good", "bad"),
    [
        ("is", 200, 200, 404),
        ("is", True, True, 1),
        ("one_of", (200, 204), 204, 404),
        ("at_least", 2, 2, 1),
        ("at_least", 2, 3.5, None),
        ("at_most", 2, 2, 3),
        ("present", None, "x", ""),
        ("present", None, 0, None),
        ("holds", "POST", "GET, post", "GET"),
        ("holds", ["a", "b"], ["b", "a", "c"], ["a"]),
        ("holds", "x", "box", None),
        ("matches", "^a+$", "aaa", "ab"),
    ],
)
def test_each_rule_accepts_the_right_and_refuses_the_wrong(rule: str, value: Any, good: Any, bad: Any) -> None:
    expects = [Expect("status", rule, value)]
    assert judge("c", expects, {"status": good}).verdict is CheckVerdict.PASSED
    assert judge("c", expects, {"status": bad}).verdict is CheckVerdict.FAILED


@pytest.mark.parametrize(("ms", "verdict"), [(899, "FAILED"), (900, "PASSED"), (1_100, "PASSED"), (1_101, "FAILED")])
def test_a_timeout_may_be_ten_percent_early_or_late(ms: float, verdict: str) -> None:
    assert judge("c", [Expect("ms", "near", (1_000, 0.1))], {"ms": ms}).verdict.value == verdict


@pytest.mark.parametrize("name", ["first_byte_timeout", "idle_timeout"])
def test_the_checks_of_timeouts_judge_how_long_it_took(name: str) -> None:
    check = next(check for check in FAULTS if check.name == name)
    assert [expect.rule for expect in check.expects if expect.fact == "timed_ms"] == ["near"]


def test_a_failure_names_fact_expectation_and_request() -> None:
    outcome = judge("unknown", [Expect("status", "is", 200), Expect("json.error.code", "is", "y")], FACTS)
    assert outcome.verdict is CheckVerdict.FAILED
    assert outcome.reason == "status is 404; json.error.code is 'x'"
    assert encode(outcome.as_row()) == {
        "name": "unknown",
        "verdict": "FAILED",
        "ms": 12.0,
        "reason": "status is 404; json.error.code is 'x'",
        "expected": ["status is 200", "json.error.code is y"],
        "request_id": "r-1",
        "expectations": [
            {"expected": "status is 200", "actual": "404", "met": False},
            {"expected": "json.error.code is y", "actual": "'x'", "met": False},
        ],
    }


def test_what_was_not_seen_never_counts_as_passed() -> None:
    assert encode(not_run("c", "no stand-in").as_row()) == {
        "name": "c",
        "verdict": "NOT RUN",
        "ms": 0.0,
        "reason": "no stand-in",
    }


def test_after_a_wrong_status_what_is_absent_because_of_it_is_not_listed() -> None:
    expects = [Expect("status", "is", 200), Expect("count", "at_least", 1), Expect("ids", "holds", "$aliases")]
    outcome = judge("models", expects, {"status": 502, "message": "no connection", "error": "Error code: 502 - {}"})
    assert outcome.reason == "status is 502 (no connection)"
    assert outcome.cause == "status 502: no connection"
    assert len(outcome.expected) == 3


def test_an_absent_fact_is_listed_when_the_status_is_right() -> None:
    outcome = judge("models", [Expect("status", "is", 200), Expect("count", "at_least", 1)], {"status": 200})
    assert (outcome.reason, outcome.cause) == ("count is None", "")


def test_a_path_reaches_into_objects_and_lists_and_ends_in_none() -> None:
    assert find(FACTS, "json.error.code") == "x"
    assert find(FACTS, "json.list.1") == 2
    assert find(FACTS, "json.list.9") is None
    assert find(FACTS, "json.error.code.deeper") is None


def test_placeholders_are_filled_at_any_depth() -> None:
    template = {"model": "$chat", "messages": ({"content": "$text"},), "n": 1}
    assert filled(template, {"chat": "m", "text": "t"}) == {"model": "m", "messages": ({"content": "t"},), "n": 1}


def test_names_of_checks_are_unique_and_each_says_what_it_proves() -> None:
    checks = [check for table in all_checks().values() for check in table]
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.proves.endswith(".") and check.expects for check in checks)
