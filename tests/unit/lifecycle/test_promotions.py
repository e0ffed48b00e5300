"""Facts about promotions: what may be promoted, and that it is fixed when it is requested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.adapters import items
from chalicelib.domain.codec import encode, encode_record
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest, Conflict, NotFound
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, PhaseRecord, PhaseStatus, Release
from chalicelib.domain.options import Options
from chalicelib.lifecycle.start import begin

from tests.fakes import FakeAws
from tests.fakes.requests import NOW

ARTIFACT = ArtifactEvidence(
    key="artifacts/staging/abc.zip", digest="abc", code_sha256="c2hh", bundle="bundles/then.zip"
)
SECRET = SecretEvidence(arn="arn:secret", version_id="v7")
PASSED = Release("4", "d-staging", "2026-01-01T00:00:00.000+00:00", "abc", {"memory_mb": 256}, "v7", "bundles/then.zip")
STAGING: dict[str, Any] = {
    "status": "LIVE",
    "live": encode_record(PASSED),
    "last_good": encode_record(PASSED),
    "releases": [encode_record(PASSED)],
    "last_deployment": "d-staging",
}


def deployment(id_: str) -> Deployment:
    at = "2026-01-01T00:00:00.000+00:00"
    return Deployment(id_, "staging", Action.DEPLOY, DeploymentStatus.SUCCEEDED, Config(), Options(), at)


def record(aws: FakeAws, id_: str, **evidence: object) -> None:
    aws.records.started[id_] = deployment(id_)
    for number, (name, item) in enumerate(evidence.items(), 1):
        aws.records.put_phase(id_, PhaseRecord(number, name, PhaseStatus.SUCCEEDED, evidence=encode(item)))


def world(**staging: Any) -> FakeAws:
    """Staging as it stands, and prod with a configuration of its own."""
    aws = FakeAws()
    aws.records.attributes["staging"] = STAGING | staging
    good = encode_record(Release("9", "d-prod", "2025-01-01T00:00:00.000+00:00", "old", {"memory_mb": 1024}, "v1"))
    aws.records.attributes["prod"] = {"status": "LIVE", "live": good, "last_good": good, "last_deployment": "d-prod"}
    record(aws, "d-staging", package_artifact=ARTIFACT, prepare_secret=SECRET)
    return aws


def promote(aws: FakeAws, **other: Any) -> Deployment:
    body = {"environment": "prod", "action": "promote", "from": "staging"} | other
    return begin(body, aws.as_aws(), lambda: NOW, caller="me", key=None)


def test_it_names_the_bytes_and_the_models_that_passed_and_keeps_prods_own_configuration() -> None:
    started = promote(world())
    assert started.promotion == Promotion(
        environment="staging",
        deployment_id="d-staging",
        version="4",
        at="2026-01-01T00:00:00.000+00:00",
        digest="abc",
        code_sha256="c2hh",
        artifact="artifacts/staging/abc.zip",
        bundle="bundles/then.zip",
        secret_arn="arn:secret",
        secret_version="v7",
    )
    assert started.config.memory_mb == 1024


def test_settings_of_prods_own_may_come_with_it() -> None:
    assert promote(world(), config={"memory_mb": 2048}).config.memory_mb == 2048


def test_what_is_recorded_is_read_again() -> None:
    started = promote(world())
    assert items.to_deployment({"pk": f"DEPLOYMENT#{started.id}", **items.of_deployment(started)}) == started


def test_a_release_that_a_rotation_made_has_the_artifact_of_the_deploy_before() -> None:
    rotated = replace(PASSED, deployment_id="d-rotate", secret_version="v8")
    record_ = encode_record(rotated)
    aws = world(live=record_, last_good=record_, releases=[record_, encode_record(PASSED)])
    record(aws, "d-rotate", prepare_secret=replace(SECRET, version_id="v8"))
    promotion = promote(aws).promotion
    assert promotion is not None
    assert (promotion.deployment_id, promotion.digest, promotion.secret_version) == ("d-rotate", "abc", "v8")


def test_an_adopted_secret_counts_with_the_version_that_was_checked() -> None:
    adopted = encode_record(replace(PASSED, secret_version=""))
    promotion = promote(world(live=adopted, last_good=adopted)).promotion
    assert promotion is not None
    assert promotion.secret_version == "v7"


@pytest.mark.parametrize(
    ("staging", "code"),
    [
        ({"status": "REMOVED", "live": None, "last_good": None}, "EnvironmentRemoved"),
        ({"status": "NEVER_LIVE", "live": None, "last_good": None}, "NothingPassed"),
        ({"incident": {"opened_at": "2026-01-01", "why": "drift"}}, "IncidentOpen"),
        ({"last_good": encode_record(replace(PASSED, deployment_id="d-expired"))}, "EvidenceGone"),
        ({"last_good": encode_record(replace(PASSED, artifact="another"))}, "EvidenceGone"),
        ({"last_good": encode_record(replace(PASSED, artifact=""))}, "EvidenceGone"),
    ],
)
def test_what_has_not_passed_or_cannot_be_proved_is_refused(staging: dict[str, Any], code: str) -> None:
    aws = world(**staging)
    with pytest.raises(Conflict) as refused:
        promote(aws)
    assert (refused.value.code, refused.value.field) == (code, "from")
    assert aws.records.environment("prod").lock is None


@pytest.mark.parametrize(
    "body",
    [
        {"from": None},
        {"from": "prod"},
        {"from": "No Name"},
        {"from": 7},
        {"action": "deploy"},
        {"action": "rollback"},
    ],
)
def test_a_source_that_makes_no_sense_is_named(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refused:
        promote(world(), **body)
    assert refused.value.field == "from"


def test_the_name_of_the_field_in_python_is_no_field() -> None:
    with pytest.raises(BadRequest) as refused:
        promote(world(), from_="staging")
    assert "Did you mean from?" in str(refused.value.remedy)


def test_an_unknown_environment_is_not_found() -> None:
    with pytest.raises(NotFound) as unknown:
        promote(world(), **{"from": "stagging"})
    assert unknown.value.field == "from"


def test_a_resumed_promotion_rolls_what_the_first_one_did() -> None:
    aws = world()
    first = replace(promote(aws), status=DeploymentStatus.FAILED)
    aws.records.attributes["staging"] |= {"last_good": encode_record(replace(PASSED, artifact="newer"))}
    aws.records.attributes["prod"]["lock"] = None
    body = {"environment": "prod", "action": "promote", "from": "staging"}
    again = begin(body, aws.as_aws(), lambda: NOW, caller="me", key=None, resumes=first)
    assert again.promotion == first.promotion
