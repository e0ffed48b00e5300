"""What the functions may do in a target: as much as at home, and nothing of what only the control plane has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalicelib.engine import policies
from chalicelib.phases.preflight.grants import concrete, grants

HOME, THERE = policies.documents(), policies.target_documents()
_OF_THE_CONTROL_PLANE = (
    "table/proxyctl", "stateMachine:", "execution:proxyctl", "event-bus", "/bundles/", "/reports/", "/load/*",
    "/nightly/", "controlplane", "DeadLetters", "WebhookRetries", "stack/proxyctl/",
)  # fmt: skip


def resources(document: dict[str, Any]) -> Iterator[str]:
    for statement in document["Statement"]:
        listed = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        yield from (json.dumps(resource) for resource in listed)


@pytest.mark.parametrize("stem", THERE)
def test_nothing_of_the_control_plane_itself_is_in_a_targets_policy(stem: str) -> None:
    assert not [text for text in resources(THERE[stem]) if any(part in text for part in _OF_THE_CONTROL_PLANE)]


@pytest.mark.parametrize("stem", THERE)
def test_no_action_is_allowed_there_that_is_not_at_home(stem: str) -> None:
    at_home = {action for statement in HOME[stem]["Statement"] for action in statement["Action"]}
    assert {action for statement in THERE[stem]["Statement"] for action in statement["Action"]} <= at_home


@pytest.mark.parametrize("stem", HOME)
def test_a_function_assumes_its_own_role_in_targets_and_only_where_it_acts_there(stem: str) -> None:
    assumes = [statement for statement in HOME[stem]["Statement"] if "sts:AssumeRole" in statement["Action"]]
    assert len(assumes) == (stem in THERE and stem != policies.CHANGE_STACKS)
    for statement in assumes:
        assert statement["Resource"]["Fn::Sub"].endswith(f":role/proxyctl-target-*-{stem.replace('_', '-')}")
        assert "sts:ExternalId" in statement["Condition"]["StringLike"]


@pytest.mark.parametrize("stem", THERE)
def test_no_role_of_a_target_assumes_another(stem: str) -> None:
    assert not [
        each for each in THERE[stem]["Statement"] if any(action.startswith("sts:") for action in each["Action"])
    ]


def test_functions_that_only_keep_records_do_nothing_in_targets() -> None:
    assert set(HOME) - set(THERE) == {
        "await_approval", "list_environments", "revalidate_environment", "roll_member", "summarize_night", "sweep",
        "upgrade", "write_handoff",
    }  # fmt: skip


def test_a_role_of_any_account_is_simulated_as_one_of_this_account() -> None:
    variables = {"AWS::Partition": "aws", "AWS::AccountId": "123456789012", "AWS::Region": "eu-central-1"}
    (grant,) = grants("x", {"Statement": [policies.assumes("release_code")]}, variables)
    assert concrete(grant.resources[0]) == (
        "arn:aws:iam::123456789012:role/proxyctl-target-proxyctl-preflight-release-code"
    )


def test_what_cloudformation_may_do_is_the_same_everywhere() -> None:
    assert THERE[policies.CHANGE_STACKS] == HOME[policies.CHANGE_STACKS]
