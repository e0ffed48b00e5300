"""A drill names a template and rolls an environment of its own; what belongs to drills nobody else may ask for."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.api import deployments

from tests.fakes import FakeAws
from tests.fakes.calls import ask, error


def world() -> FakeAws:
    aws = FakeAws()
    live = {"version": "1", "deployment_id": "d", "at": "t", "artifact": "", "config": {}}
    aws.records.attributes["prod"] = {"live": live, "last_good": live}
    return aws


def test_a_drill_is_kept_under_its_own_name_and_locks_nothing_of_its_template() -> None:
    aws = world()
    answer = ask(aws, deployments.start, {"environment": "prod", "action": "drill"})
    assert (answer.status, answer.body["environment"]) == (202, "drill")
    assert answer.body["options"]["drill_of"] == "prod"
    assert aws.records.environment("prod").lock is None


def test_there_is_one_drill_at_a_time() -> None:
    aws = world()
    first = ask(aws, deployments.start, {"environment": "prod", "action": "drill"})
    second = ask(aws, deployments.start, {"environment": "prod", "action": "drill"})
    assert (second.status, error(second)["holder"]) == (409, first.body["id"])


def test_the_same_key_is_the_same_drill() -> None:
    aws = world()
    body = {"environment": "prod", "action": "drill"}
    first, second = (ask(aws, deployments.start, body, key="k") for _ in range(2))
    assert first.body["id"] == second.body["id"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"environment": "prod", "options": {"sabotage": "answers_500"}}, 400, "options.sabotage"),
        ({"environment": "prod", "action": "drill", "options": {"sabotage": None}}, 400, "options.sabotage"),
        ({"environment": "prod", "options": {"drill_of": "prod"}}, 400, "options.drill_of"),
        ({"environment": "drill"}, 400, "environment"),
        ({"environment": "prod", "action": "drill", "config": {}}, 400, "config"),
        ({"environment": "nobody", "action": "drill"}, 409, "environment"),
        ({"environment": "Prod", "action": "drill"}, 400, "environment"),
        ({"environment": 5, "action": "drill"}, 400, "environment"),
        ({"environment": "prod", "action": "drill", "options": 5}, 400, "options"),
    ],
)
def test_what_is_wrong_is_refused_by_name(body: Any, status: int, field: str) -> None:
    answer = ask(world(), deployments.start, body)
    assert (answer.status, error(answer).get("field")) == (status, field)
