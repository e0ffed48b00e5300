"""The execution takes the environment that its POST had locked."""

from __future__ import annotations

from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.outcome import LockEvidence
from chalicelib.domain.model import Action, Deployment, DeploymentStatus
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Status
from chalicelib.phases.acquire_lock import run as acquire_lock

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, environment, release, request


def world() -> FakeAws:
    aws = FakeAws()
    pending = Deployment("d-new", "dev", Action.DEPLOY, DeploymentStatus.PENDING, Config(), Options(), "2026-01-02")
    aws.records.start(pending, HELD, None, None)
    return aws


def test_the_deployment_runs_from_now_on_under_its_execution() -> None:
    aws = world()
    result = acquire_lock.run(request(), aws.as_aws())
    stands = aws.records.deployment("d-new")
    assert result.status is Status.SUCCEEDED
    assert (stands.status, stands.execution_arn) == (DeploymentStatus.RUNNING, HELD.execution_arn)
    assert stands.started_at
    assert result.summary == "Environment dev is locked by d-new"
    assert result.evidence == LockEvidence(HELD.execution_arn, HELD.lease_until, "")


def test_what_a_stopped_run_left_half_shifted_is_put_back_on_the_last_good_version() -> None:
    aws = world()
    aws.functions.add("proxyctl-dev-proxy", FunctionConfig("sha", 256, 29, {}, "python3.11"), live="1", versions=2)
    aws.functions.pointed["proxyctl-dev-proxy"]["live"] = Alias("live", "1", {"2": 0.5})
    stands = environment(last_good=release("1"))
    result = acquire_lock.run(request(environment=stands), aws.as_aws())
    assert aws.functions.moves == [Alias("live", "1")]
    assert "put back on 1" in result.summary
    again = acquire_lock.run(request(environment=stands), aws.as_aws())
    assert again.evidence is not None
    assert (len(aws.functions.moves), again.evidence.put_back) == (1, "")


def test_a_function_that_is_gone_is_no_obstacle() -> None:
    stands = environment(last_good=release("1"))
    assert acquire_lock.run(request(environment=stands), world().as_aws()).status is Status.SUCCEEDED


def test_a_plan_says_where_live_is_and_changes_nothing() -> None:
    aws = world()
    aws.functions.add("proxyctl-dev-proxy", FunctionConfig("c", 128, 3, {}, "python3.11"), live="2", versions=2)
    good = environment(live=release("1"), last_good=release("1"))
    result = acquire_lock.run(request(environment=good, action=Action.PLAN), aws.as_aws())
    assert (aws.functions.moves, "would put it back on 1" in result.summary) == ([], True)


def test_a_revalidation_leaves_the_alias_for_check_drift_to_report() -> None:
    aws = world()
    aws.functions.add("proxyctl-dev-proxy", FunctionConfig("c", 128, 3, {}, "python3.11"), live="2", versions=2)
    good = environment(live=release("1"), last_good=release("1"))
    acquire_lock.run(request(environment=good, action=Action.REVALIDATE), aws.as_aws())
    assert aws.functions.moves == []
