"""An environment whose record someone deleted is what its deployments made of it: nothing is reset."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence, RollBackEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence, StackEvidence
from chalicelib.domain.model import (
    Action,
    Deployment,
    DeploymentStatus,
    Environment,
    Lock,
    PhaseRecord,
    PhaseStatus,
)
from chalicelib.domain.options import Options
from chalicelib.engine import policies
from chalicelib.engine.lost_records import recover
from chalicelib.engine.phase import OfPhase, applied_as
from chalicelib.lifecycle.start import begin
from chalicelib.phases.acquire_lock import run as acquire_lock

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, NOW, request, results
from tests.fakes.standing import stand

GOOD = DeploymentStatus.SUCCEEDED
CONFIG = Config(throttle=Throttle(80, 160), memory_mb=640)


def ran(aws: FakeAws, number: int, action: Action, status: DeploymentStatus, *evidence: OfPhase, **other: Any) -> str:
    """A deployment on record, as it ended, with the evidence of its phases."""
    name, at = f"d-{number}", f"2026-01-0{number}T00:00:00+00:00"
    deployment = Deployment(name, "dev", action, status, CONFIG, Options(), at, ended_at=at)
    aws.records.started[name] = dataclasses.replace(deployment, **other)
    for phase, values in results(*evidence).recorded.items():
        aws.records.put_phase(name, PhaseRecord(1, phase, PhaseStatus.SUCCEEDED, at, at, evidence=values))
    return name


def deployed(aws: FakeAws, number: int, version: str, status: DeploymentStatus = GOOD, **other: Any) -> str:
    evidence = (
        ReleaseEvidence(version=version),
        ArtifactEvidence(digest=f"digest-{version}"),
        SecretEvidence(arn="arn", version_id=f"secret-{version}"),
        SettingsEvidence(bundle=f"bundles/{version}.zip", snapshot=f"Api{version}", parameters={"ThrottleRate": "80"}),
    )
    return ran(aws, number, Action.DEPLOY, status, *evidence, **other)


def recovered(aws: FakeAws) -> Environment:
    return recover(aws.records.environment("dev"), aws.as_aws())


def test_the_live_release_is_the_one_of_the_newest_good_deploy_with_all_that_a_rollback_needs() -> None:
    aws = FakeAws()
    deployed(aws, 1, "2")
    deployed(aws, 2, "3")
    deployed(aws, 3, "4", DeploymentStatus.ROLLED_BACK)
    stands = recovered(aws)
    live = stands.live
    assert live is not None
    assert live == stands.last_good
    assert (live.version, live.deployment_id, live.artifact, live.secret_version) == (
        "3",
        "d-2",
        "digest-3",
        "secret-3",
    )
    assert (live.bundle, live.snapshot, live.parameters) == ("bundles/3.zip", "Api3", {"ThrottleRate": "80"})
    assert live.config["memory_mb"] == 640
    assert [release.version for release in stands.releases] == ["3", "2"]
    assert (stands.previous and stands.previous.version, stands.status) == ("2", "LIVE")
    assert stands.recovered_from == "d-3"


def test_a_rollback_and_a_rotation_are_followed() -> None:
    aws = FakeAws()
    deployed(aws, 1, "2")
    deployed(aws, 2, "3")
    ran(aws, 3, Action.ROLLBACK, GOOD, RollBackEvidence(version="2", secret_to="secret-2"))
    ran(aws, 4, Action.ROTATE, GOOD, SecretEvidence(arn="arn", version_id="secret-9"))
    live = recovered(aws).live
    assert live is not None
    assert (live.version, live.secret_version, live.snapshot) == ("2", "secret-9", "Api2")


def test_what_the_phases_applied_is_known_again_so_that_nothing_looks_changed_and_nothing_is_skipped() -> None:
    """Without it a revalidation took the live version's SECRET_ARN for drift."""
    aws = FakeAws()
    stack = StackEvidence(stack_id="s", outputs={"StageName": "api"}, role_policy="digest")
    handoff = HandoffEvidence(links={"base_url": "https://api1.example/api/v1"})
    secret = SecretEvidence(arn="arn", version_id="secret-2")
    ran(aws, 1, Action.DEPLOY, GOOD, ReleaseEvidence(version="2"), secret, stack, handoff, SettingsEvidence())
    ran(aws, 2, Action.ROTATE, GOOD, SecretEvidence(arn="arn", version_id="secret-9"))
    ran(aws, 3, Action.DEPLOY, DeploymentStatus.FAILED, SecretEvidence(arn="arn", version_id="secret-10"))
    stands = recovered(aws)
    assert applied_as(stands, SecretEvidence) == SecretEvidence(arn="arn", version_id="secret-9")
    assert applied_as(stands, StackEvidence) == dataclasses.replace(stack, role_policy=StackEvidence().role_policy)
    assert {applied.fingerprint for applied in stands.applied.values()} == {"rebuilt"}
    assert stands.links == {"base_url": "https://api1.example/api/v1"}, "a rotation leaves no links"


def test_after_a_clean_up_nothing_is_live() -> None:
    aws = FakeAws()
    deployed(aws, 1, "2")
    ran(aws, 2, Action.CLEANUP, GOOD)
    stands = recovered(aws)
    assert (stands.live, stands.status) == (None, "REMOVED")


def test_an_environment_that_never_had_a_good_deploy_was_never_live() -> None:
    aws = FakeAws()
    deployed(aws, 1, "2", DeploymentStatus.FAILED)
    stands = recovered(aws)
    assert (stands.live, stands.status) == (None, "NEVER_LIVE")


def test_a_new_environment_and_a_recorded_one_are_left_alone() -> None:
    aws = FakeAws()
    assert recovered(aws) == Environment("dev")
    deployed(aws, 1, "2")
    aws.records.attributes["dev"] = {"status": "NEVER_LIVE", "last_deployment": "d-1"}
    assert recovered(aws).live is None


def test_a_post_after_the_loss_merges_its_config_into_what_was_live() -> None:
    aws = FakeAws()
    deployed(aws, 1, "2")
    body = {"environment": "dev", "config": {"memory_mb": 768}}
    started = begin(body, aws.as_aws(), lambda: NOW, caller="me", key=None)
    assert started.config == dataclasses.replace(CONFIG, memory_mb=768)
    stands = aws.records.environment("dev")
    assert stands.lock is not None
    assert stands.live is not None


@pytest.mark.parametrize("body", [{"action": "rollback"}, {"action": "revalidate"}])
def test_a_rollback_or_revalidation_after_the_loss_is_no_404(body: dict[str, str]) -> None:
    aws = FakeAws()
    deployed(aws, 1, "2")
    assert begin({"environment": "dev", **body}, aws.as_aws(), lambda: NOW, caller="me", key=None).id


def test_the_next_deployment_says_that_the_record_was_rebuilt_and_says_it_once() -> None:
    aws = stand(FakeAws())
    deployed(aws, 1, "2")
    recovered(aws)
    new = Deployment("d-new", "dev", Action.DEPLOY, DeploymentStatus.PENDING, Config(), Options(), "2026-01-02")
    aws.records.start(new, Lock("d-new", HELD.execution_arn, HELD.lease_until), None, None)
    first = acquire_lock.run(request(environment=aws.records.environment("dev")), aws.as_aws())
    again = acquire_lock.run(request(environment=aws.records.environment("dev")), aws.as_aws())
    assert "its record had been deleted and was rebuilt from its deployments up to d-1" in first.summary
    assert "rebuilt" not in again.summary


@pytest.mark.parametrize("step", ["roll_back", "restore_settings", "record_outcome"])
def test_the_steps_that_rebuild_a_record_may_list_and_read_the_deployments(step: str) -> None:
    """The table's own Query does not grant that of its index; without it the rollout stays RUNNING."""
    statements = policies.documents()[step]["Statement"]
    granted = {
        (action, str(item["Resource"]).rpartition(":")[2].strip("'}"))
        for item in statements
        for action in item["Action"]
        if action.startswith("dynamodb:")
    }
    assert {("dynamodb:Query", "table/proxyctl/index/*"), ("dynamodb:BatchGetItem", "table/proxyctl")} <= granted
