"""A deployment whose environment's record was deleted and whose execution was killed comes to its end all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from chalicelib.api import deployments
from chalicelib.domain.model import DeploymentStatus, Page
from chalicelib.lifecycle.sweep import sweep

from tests.fakes import FakeAws
from tests.fakes.calls import NOW, ask

LATER = NOW + timedelta(seconds=61)


def arn(deployment_id: str) -> str:
    return f"arn:aws:states:eu-central-1:123456789012:execution:proxyctl-rollout:{deployment_id}"


def running(aws: FakeAws, **body: Any) -> str:
    started = str(ask(aws, deployments.start, {"environment": "dev", "create": True, **body}).body["id"])
    aws.records.update_deployment(started, {"status": "RUNNING", "execution_arn": arn(started)})
    return started


def swept(aws: FakeAws, ended: str = "") -> dict[str, object]:
    return sweep({"detail": {"name": ended}} if ended else {}, aws.as_aws(), lambda: LATER)


def settling(aws: FakeAws, deployment_id: str) -> list[str]:
    return [name for name, given in aws.executions.started.items() if given.get("settle") and deployment_id in name]


@pytest.mark.parametrize("by_event", [True, False], ids=["execution ended", "scheduled"])
@pytest.mark.parametrize("status", ["PENDING", "RUNNING", "WAITING_APPROVAL"])
@pytest.mark.parametrize("execution", ["ABORTED", "FAILED", "TIMED_OUT", None])
def test_it_is_settled(status: str, execution: str | None, by_event: bool) -> None:
    aws = FakeAws()
    lost = running(aws)
    aws.records.update_deployment(lost, {"status": status})
    if execution:
        aws.executions.end(lost, execution)
    else:
        aws.executions.statuses.clear()
    aws.records.attributes.clear()
    done = swept(aws, lost if by_event else "")
    assert done == {"dev": f"settling {lost}, which holds no lock any more and whose execution is gone"}
    assert len(settling(aws, lost)) == 1
    assert [event["kind"] for event in aws.records.events(lost)][-1] == "deployment.settling"


def test_two_sweeps_settle_it_with_one_execution() -> None:
    aws = FakeAws()
    lost = running(aws)
    aws.executions.end(lost, "ABORTED")
    aws.records.attributes.clear()
    swept(aws), swept(aws, lost)
    assert len(settling(aws, lost)) == 1


def test_it_is_settled_also_while_another_deployment_has_the_environment_by_now() -> None:
    aws = FakeAws()
    lost = running(aws)
    aws.executions.end(lost, "ABORTED")
    aws.records.attributes.clear()
    following = running(aws)
    swept(aws)
    assert (len(settling(aws, lost)), settling(aws, following)) == (1, [])


def test_one_whose_execution_runs_ends_by_itself() -> None:
    aws = FakeAws()
    alive = running(aws)
    aws.records.attributes.clear()
    assert swept(aws) == {}
    assert settling(aws, alive) == []


@pytest.mark.parametrize(("after_s", "is_settled"), [(60, False), (61, True)])
def test_one_that_nobody_started_is_settled_a_minute_after_its_record(after_s: int, is_settled: bool) -> None:
    aws = FakeAws()
    started = running(aws)
    aws.records.update_deployment(started, {"execution_arn": ""})
    aws.records.attributes.clear()
    sweep({}, aws.as_aws(), lambda: NOW + timedelta(seconds=after_s))
    assert bool(settling(aws, started)) == is_settled


def test_one_that_ended_while_the_sweep_was_looking_is_left_alone() -> None:
    """The list may be a moment behind."""
    aws = FakeAws()
    ended = running(aws)
    listed = aws.records.deployment(ended)
    aws.executions.end(ended, "SUCCEEDED")
    aws.records.update_deployment(ended, {"status": "SUCCEEDED"})
    aws.records.attributes["dev"]["lock"] = None
    read = aws.records.deployments

    def behind(environment: Any, status: Any, limit: int, cursor: Any) -> Any:
        page = read(environment, status, limit, cursor)
        return Page([listed], None) if status is DeploymentStatus.RUNNING else page

    aws.records.deployments = behind  # type: ignore[method-assign]
    assert swept(aws) == {}
    assert settling(aws, ended) == []


def test_what_waits_in_a_queue_starts_from_what_the_environment_was() -> None:
    """Without the record it would count as the first one: configuration reset, nothing to go back to."""
    aws = FakeAws()
    running(aws)
    waiting = running(aws, options={"if_busy": "wait"})
    aws.records.update_deployment(waiting, {"status": "PENDING", "execution_arn": ""})
    first = next(item for item in aws.records.started.values() if not item.waiting)
    aws.records.update_deployment(first.id, {"status": "SUCCEEDED", "ended_at": NOW.isoformat()})
    aws.records.attributes.clear()
    swept(aws, first.id)
    assert aws.records.environment("dev").recovered_from
    assert waiting in aws.executions.started
