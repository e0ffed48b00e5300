"""What POST /fleets/{name}/deployments refuses, and what it names."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.codec import decode
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.fleets.request import MOST_MEMBERS, MOST_WAVES, FleetStart, check, refuse_unknown_members
from chalicelib.domain.options import Options

WAVES = [["canary"], ["eu", "us"], ["rest"]]


def checked(**body: Any) -> FleetStart:
    start = decode(FleetStart, {"waves": WAVES} | body)
    check(start, decode(Options, start.options, under="options"))
    return start


def names(count: int, prefix: str = "e") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def test_the_defaults_gate_each_wave_on_no_failure_and_roll_everything_back() -> None:
    start = checked()
    assert (start.gate.tolerated_failures, start.gate.soak_s, start.gate.approval) == (0, 0, "none")
    assert (start.on_failure, start.at_once) == ("roll_back", 10)
    assert start.environments == ["canary", "eu", "us", "rest"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"waves": []}, "waves"),
        ({"waves": [["a"], []]}, "waves[1]"),
        ({"waves": [["a"], ["b", "a"]]}, "waves"),
        ({"waves": [["a", "a"]]}, "waves"),
        ({"waves": [["No Name"]]}, "waves"),
        ({"waves": [[name] for name in names(MOST_WAVES + 1)]}, "waves"),
        ({"waves": [names(MOST_MEMBERS + 1)], "max_cost_usd": 1e6}, "waves"),
        ({"waves": "canary"}, "waves"),
        ({"waves": [["a", 7]]}, "waves[0][1]"),
        ({"wave": []}, "wave"),
        ({"action": "cleanup"}, "action"),
        ({"action": "drill"}, "action"),
        ({"action": "rotate"}, "action"),
        ({"action": "promote", "from": "us"}, "from"),
        ({"gate": {"soak_s": -1}}, "gate.soak_s"),
        ({"gate": {"soak_s": 86_401}}, "gate.soak_s"),
        ({"gate": {"tolerated_failures": 1}}, "gate.tolerated_failures"),
        ({"gate": {"approval": "maybe"}}, "gate.approval"),
        ({"gate": {"soak": 5}}, "gate.soak"),
        ({"waves": [[name] for name in names(7)], "gate": {"soak_s": 86_400}}, "gate.soak_s"),
        ({"on_failure": "explode"}, "on_failure"),
        ({"at_once": 0}, "at_once"),
        ({"at_once": 41}, "at_once"),
        ({"options": {"rollback_to": "3"}}, "options.rollback_to"),
        ({"options": {"expected_plan": "abc"}}, "options.expected_plan"),
        ({"options": {"sabotage": "answers_500"}}, "options.sabotage"),
        ({"waves": [names(101)]}, "max_cost_usd"),
        ({"max_cost_usd": 3}, "max_cost_usd"),
    ],
)
def test_what_makes_no_sense_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        checked(**body)
    assert refused.value.field == field
    assert refused.value.remedy


@pytest.mark.parametrize(
    "body",
    [
        {"waves": [names(MOST_MEMBERS)], "max_cost_usd": 1_000},
        {"waves": [[name] for name in names(MOST_WAVES)]},
        {"waves": [names(100)]},
        {"waves": [names(MOST_MEMBERS)], "action": "rollback"},
        {"waves": [[name] for name in names(6)], "gate": {"soak_s": 86_400}},
        {"max_cost_usd": 4},
        {"at_once": 40},
        {"gate": {"tolerated_failures": 0.99}},
        {"action": "promote", "from": "staging"},
    ],
)
def test_the_other_side_of_each_bound_is_accepted(body: dict[str, Any]) -> None:
    checked(**body)


def test_unknown_environments_are_named_unless_they_are_to_be_made() -> None:
    with pytest.raises(BadRequest) as refused:
        refuse_unknown_members(checked(), {"canary", "eu"})
    assert (refused.value.field, refused.value.message) == ("waves", "there is no environment us, rest")
    refuse_unknown_members(checked(create=True), {"canary"})
    with pytest.raises(BadRequest):
        refuse_unknown_members(checked(create=True, action="rollback"), {"canary"})
