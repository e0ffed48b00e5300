"""The execution takes the environment that its POST had locked."""

from __future__ import annotations

from chalicelib.core.config import Config, Options
from chalicelib.core.contract import Status
from chalicelib.core.model import Action, Deployment, DeploymentStatus
from chalicelib.phases import acquire_lock

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, request


def test_the_deployment_runs_from_now_on_and_knows_its_execution() -> None:
    aws = FakeAws()
    pending = Deployment("d-new", "dev", Action.DEPLOY, DeploymentStatus.PENDING, Config(), Options(), "2026-01-02")
    aws.records.start(pending, HELD, None, None)
    result = acquire_lock.run(request(), aws.as_aws())
    stands = aws.records.deployment("d-new")
    assert result.status is Status.SUCCEEDED
    assert (stands.status, stands.execution_arn) == (DeploymentStatus.RUNNING, HELD.execution_arn)
    assert stands.started_at
