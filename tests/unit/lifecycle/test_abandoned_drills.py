"""A drill that is aborted, stopped or killed leaves nothing on its way, and no environment."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.api import deployments
from chalicelib.domain import drills
from chalicelib.domain.model import Action, Deployment, DeploymentStatus
from chalicelib.lifecycle.sweep import sweep

from tests.fakes import FakeAws
from tests.fakes.calls import NOW, ask

TEMPLATE = {"live": {"version": "1", "deployment_id": "d", "at": "t", "artifact": "", "config": {}}}


def drilling(*, child: bool = True) -> tuple[FakeAws, str, str]:
    """A drill on its way, its environment, and in that the rollout that it waits for."""
    aws = FakeAws()
    aws.records.attributes["prod"] = dict(TEMPLATE)
    started: str = ask(aws, deployments.start, {"environment": "prod", "action": "drill"}).body["id"]
    name = drills.ephemeral_environment(started)
    if child:
        key = drills.key(started, "deploy")
        aws.rollouts.begin({"environment": name, "action": "deploy"}, caller=drills.CALLER, key=key)
    return aws, started, name


def ends(aws: FakeAws, environment: str, deployment_id: str, status: str) -> None:
    aws.records.update_deployment(deployment_id, {"status": status})
    aws.records.release_lock(environment, deployment_id)
    aws.executions.end(deployment_id, status)


def swept(aws: FakeAws, name: str) -> dict[str, Any]:
    return sweep({"detail": {"name": name}}, aws.as_aws(), lambda: NOW)


def of(aws: FakeAws, environment: str, action: Action) -> Deployment:
    (result,) = (
        item for item in aws.records.started.values() if (item.environment, item.action) == (environment, action)
    )
    return result


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "ROLLED_BACK"])
def test_its_rollout_is_asked_to_stop_and_its_environment_goes_after_that(status: str) -> None:
    aws, started, name = drilling()
    ends(aws, drills.DRILL_RECORD_ENVIRONMENT, started, status)
    for _ in range(3):
        swept(aws, started)
    child, removal = of(aws, name, Action.DEPLOY), of(aws, name, Action.CLEANUP)
    assert (child.abort_requested, removal.waiting) == (True, True)
    assert (removal.options.remove_secret, removal.options.secret_recovery_days) == (True, 0)
    requested = [event for event in aws.records.events(child.id) if event["kind"] == "deployment.abort_requested"]
    assert [event["detail"] for event in requested] == [{"by": drills.CALLER}]
    ends(aws, name, child.id, "ABORTED")
    swept(aws, child.id)
    lock = aws.records.environment(name).lock
    assert lock is not None
    assert lock.deployment_id == removal.id


def test_between_two_parts_the_environment_goes_at_once() -> None:
    aws, started, name = drilling()
    ends(aws, name, of(aws, name, Action.DEPLOY).id, "SUCCEEDED")
    ends(aws, drills.DRILL_RECORD_ENVIRONMENT, started, "ABORTED")
    assert "removing" in swept(aws, started)[drills.DRILL_RECORD_ENVIRONMENT]
    assert not of(aws, name, Action.CLEANUP).waiting


def test_a_drill_that_made_nothing_leaves_nothing_to_remove() -> None:
    aws, started, _ = drilling(child=False)
    ends(aws, drills.DRILL_RECORD_ENVIRONMENT, started, "ABORTED")
    assert swept(aws, started) == {}


@pytest.mark.parametrize("how", ["it is on its way", "it ended well", "all is removed", "the removal failed"])
def test_where_nothing_is_left_or_nothing_was_interrupted_nothing_is_done(how: str) -> None:
    aws, started, name = drilling()
    if how != "it is on its way":
        ends(aws, drills.DRILL_RECORD_ENVIRONMENT, started, "SUCCEEDED" if how == "it ended well" else "ABORTED")
    if how == "all is removed":
        aws.records.attributes[name]["status"] = "REMOVED"
    if how == "the removal failed":
        ends(aws, name, of(aws, name, Action.DEPLOY).id, "ABORTED")
        swept(aws, started)
        ends(aws, name, of(aws, name, Action.CLEANUP).id, "FAILED")
    before = dict(aws.records.started)
    swept(aws, started)
    assert aws.records.started == before
    assert all(item.status is not DeploymentStatus.WAITING_APPROVAL for item in before.values())
