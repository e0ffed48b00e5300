"""A rotation is a release of its own: it names its secret version, and a rollback goes back to the one before."""

from __future__ import annotations

import dataclasses
from typing import Any

from chalicelib.domain.codec import encode_record
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.release import ReleaseEvidence, RollBackEvidence, ShiftEvidence
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Environment, PhaseRecord, PhaseStatus, Release
from chalicelib.domain.options import Options
from chalicelib.phases.record_outcome import run as record_outcome

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, request, results

NAME = "proxyctl/dev/openai"
LIVE = Release("2", "d-2", "t", "abc", {"memory_mb": 512}, secret_version="v1")


def world(action: Action) -> FakeAws:
    aws = FakeAws()
    running = Deployment("d-new", "dev", action, DeploymentStatus.RUNNING, Config(), Options(), "2026-01-02")
    aws.records.start(running, HELD, None, None)
    aws.records.attributes["dev"] |= {
        "status": "LIVE",
        "live": encode_record(LIVE),
        "last_good": encode_record(LIVE),
        "releases": [encode_record(LIVE)],
    }
    aws.secrets.add(NAME, "{}")
    aws.secrets.add(NAME, "{}")
    return aws


def ended(action: Action, aws: FakeAws, *evidence: Any, **other: Any) -> Environment:
    stands = dataclasses.replace(aws.records.environment("dev"), lock=HELD)
    record_outcome.run(request(action=action, environment=stands, results=results(*evidence), **other), aws.as_aws())
    return aws.records.environment("dev")


def test_the_live_version_with_the_new_secret_is_the_release_and_the_one_before_is_the_previous() -> None:
    stands = ended(Action.ROTATE, world(Action.ROTATE), ShiftEvidence(secret_version="v2", secret_from="v1"))
    assert stands.live is not None
    assert stands.previous is not None
    assert (stands.live.version, stands.live.secret_version, stands.live.deployment_id) == ("2", "v2", "d-new")
    assert stands.live.config == LIVE.config
    assert stands.previous.secret_version == "v1"
    assert [release.secret_version for release in stands.releases] == ["v2", "v1"]


def test_a_rotation_counts_as_a_change_and_closes_its_history() -> None:
    aws = world(Action.ROTATE)
    ended(Action.ROTATE, aws, ShiftEvidence(secret_version="v2"))
    (entry,) = aws.records.history("dev", 10)
    assert (entry["action"], entry["changed"], entry["outcome"]) == ("rotate", True, "SUCCEEDED")


def test_a_failed_rotation_leaves_the_releases() -> None:
    aws = world(Action.ROTATE)
    aws.records.put_phase(
        "d-new",
        PhaseRecord(7, "validate_endpoints", PhaseStatus.FAILED, error={"code": "CheckFailed", "message": "502"}),
    )
    stands = ended(Action.ROTATE, aws, error={"Error": "PhaseFailed", "Cause": "{}"})
    assert stands.live == LIVE
    assert stands.previous is None
    assert aws.records.deployment("d-new").status is DeploymentStatus.FAILED


def test_a_rollback_to_the_release_before_the_rotation_makes_it_live_with_its_secret() -> None:
    aws = world(Action.ROLLBACK)
    rotated = encode_record(dataclasses.replace(LIVE, deployment_id="d-3", secret_version="v2"))
    aws.records.attributes["dev"] |= {
        "live": rotated,
        "last_good": rotated,
        "releases": [rotated, encode_record(LIVE)],
    }
    stands = ended(Action.ROLLBACK, aws, RollBackEvidence(version="2", release_of="d-2", to="t", secret_to="v1"))
    assert stands.live == LIVE
    assert stands.previous is None


def test_a_deploy_of_the_same_code_records_the_secret_version_that_users_have() -> None:
    """A release of an older control plane does not name its secret version, and is completed rather than doubled."""
    aws = world(Action.DEPLOY)
    unnamed = encode_record(dataclasses.replace(LIVE, secret_version=""))
    aws.records.attributes["dev"] |= {"live": unnamed, "last_good": unnamed, "releases": [unnamed]}
    stands = ended(Action.DEPLOY, aws, ReleaseEvidence(version="2"))
    assert [(release.version, release.secret_version) for release in stands.releases] == [("2", "v2")]
    assert stands.previous is None
