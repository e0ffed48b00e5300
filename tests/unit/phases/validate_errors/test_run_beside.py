"""Checks of time limits run beside the others and beside the throttle, and are repeated alone when they miss."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import pytest
from chalicelib.checks.check import Check
from chalicelib.checks.expectations import CheckOutcome, CheckVerdict, Expect
from chalicelib.checks.target import Target
from chalicelib.phases.validate_errors import run_beside
from chalicelib.ports import Aws

from tests.fakes import FakeAws

QUICK = Check("quick", "", (Expect("status", "is", 200),))
SLOW = Check("slow", "", (Expect("timed_ms", "near", (3_000, 0.1)),))
TARGET = Target("https://api.example", True, "2")
THROTTLED = CheckOutcome("throttling", CheckVerdict.PASSED)
_WAIT_S = 20.0


def good(name: str) -> CheckOutcome:
    return CheckOutcome(name, CheckVerdict.PASSED)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def replace(**functions: object) -> None:
        for name, function in functions.items():
            monkeypatch.setattr(run_beside, name, function)

    return replace


def test_the_throttle_is_driven_while_a_time_limit_is_waited_for(replaced: Callable[..., None]) -> None:
    """The slow check ends only when the throttle has been driven: one after the other, neither would end."""
    driven, began = threading.Event(), threading.Event()

    def waits(check: Check, target: Target, aws: Aws) -> CheckOutcome:
        began.set()
        assert driven.wait(_WAIT_S)
        return good(check.name)

    def throttle() -> CheckOutcome:
        assert began.wait(_WAIT_S)
        driven.set()
        return THROTTLED

    replaced(run_once=waits, run_all=lambda checks, target, aws: [good(check.name) for check in checks])
    outcomes = run_beside.run_beside((SLOW, QUICK), TARGET, FakeAws().as_aws(), throttle)
    assert [each.name for each in outcomes] == ["slow", "quick", "throttling"]


def test_the_throttle_begins_when_all_other_checks_have_ended(replaced: Callable[..., None]) -> None:
    order: list[str] = []

    def all_others(checks: list[Check], target: Target, aws: Aws) -> list[CheckOutcome]:
        order.extend(check.name for check in checks)
        return [good(check.name) for check in checks]

    def throttle() -> CheckOutcome:
        order.append("throttling")
        return THROTTLED

    replaced(run_once=lambda check, target, aws: good(check.name), run_all=all_others)
    run_beside.run_beside((QUICK, SLOW), TARGET, FakeAws().as_aws(), throttle)
    assert order == ["quick", "throttling"]


@pytest.mark.parametrize(
    ("first", "repeats"), [(CheckVerdict.PASSED, 0), (CheckVerdict.FAILED, 1), (CheckVerdict.NOT_RUN, 0)]
)
def test_a_time_limit_that_was_missed_beside_the_load_is_tried_again_alone(
    first: CheckVerdict, repeats: int, replaced: Callable[..., None]
) -> None:
    alone: list[str] = []

    def again(check: Check, target: Target, aws: Aws) -> CheckOutcome:
        alone.append(check.name)
        return good(check.name)

    replaced(run_once=lambda check, target, aws: CheckOutcome(check.name, first), run_check=again)
    outcomes = run_beside.run_beside((SLOW,), TARGET, FakeAws().as_aws(), lambda: THROTTLED)
    assert len(alone) == repeats
    assert outcomes[0].verdict is (CheckVerdict.PASSED if repeats else first)


@pytest.mark.parametrize(("at_once", "in_pool", "others"), [(8, 1, 7), (6, 1, 5), (2, 1, 1), (1, 1, 1)])
def test_time_limits_and_the_others_share_the_places(
    at_once: int, in_pool: int, others: int, replaced: Callable[..., None]
) -> None:
    left: list[int] = []

    def all_others(checks: list[Check], target: Target, aws: Aws) -> list[CheckOutcome]:
        left.append(target.at_once)
        return [good(check.name) for check in checks]

    replaced(run_once=lambda check, target, aws: good(check.name), run_all=all_others)
    target = dataclasses.replace(TARGET, at_once=at_once)
    run_beside.run_beside((QUICK, SLOW), target, FakeAws().as_aws(), lambda: THROTTLED)
    assert left == [others]
    assert in_pool + others <= max(at_once, 2)


@pytest.mark.parametrize(("at_once", "first"), [(1, "slow"), (2, "slow"), (4, "quick")])
def test_where_time_limits_have_no_room_beside_the_others_they_end_first(
    at_once: int, first: str, replaced: Callable[..., None]
) -> None:
    """With two time limits and one place for them, no other check begins before both have ended."""
    ended: list[str] = []
    others_ended = threading.Event()

    def waits(check: Check, target: Target, aws: Aws) -> CheckOutcome:
        if first == "quick":
            assert others_ended.wait(_WAIT_S)
        ended.append("slow")
        return good(check.name)

    def all_others(checks: list[Check], target: Target, aws: Aws) -> list[CheckOutcome]:
        ended.append("quick")
        others_ended.set()
        return [good(check.name) for check in checks]

    replaced(run_once=waits, run_all=all_others)
    second = dataclasses.replace(SLOW, name="slower")
    target = dataclasses.replace(TARGET, at_once=at_once)
    run_beside.run_beside((SLOW, QUICK, second), target, FakeAws().as_aws(), lambda: THROTTLED)
    assert ended[0] == first
    assert ended.count("slow") == 2
    assert ended.index("quick") == (0 if first == "quick" else 2)
