"""package_artifact of a promotion: the bytes that passed elsewhere, or nothing."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from chalicelib.artifacts import assembly
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.domain.model import Action
from chalicelib.engine.phase import Request
from chalicelib.phases.package_artifact import run as package_artifact

from tests.fakes import FakeAws
from tests.fakes.requests import request, results
from tests.unit.artifacts.test_assembly import bundle

BUILT = assembly.build(bundle())
SOURCE = f"artifacts/staging/{BUILT.digest}.zip"
PASSED = Promotion(
    environment="staging",
    deployment_id="d-staging",
    digest=BUILT.digest,
    code_sha256=base64.b64encode(hashlib.sha256(BUILT.content).digest()).decode(),
    artifact=SOURCE,
    bundle="bundles/then.zip",
)


def world() -> FakeAws:
    """The bucket as staging left it. The control plane has had another bundle since."""
    aws = FakeAws()
    aws.artifacts.objects |= {SOURCE: BUILT.content, SOURCE.replace(".zip", ".cdx.json"): BUILT.sbom}
    return aws


def promoting(**other: Any) -> Request:
    return request(action=Action.PROMOTE, promotion=PASSED, **other)


def test_the_same_bytes_lie_under_the_environments_own_prefix_with_their_sbom() -> None:
    aws = world()
    evidence = package_artifact.run(promoting(), aws.as_aws()).evidence
    assert evidence is not None
    assert aws.artifacts.objects[evidence.key] == BUILT.content
    assert evidence.key == f"artifacts/dev/{BUILT.digest}.zip"
    assert aws.artifacts.objects[evidence.sbom] == BUILT.sbom
    assert evidence.code_sha256 == PASSED.code_sha256
    assert (evidence.promoted_from, evidence.bundle, evidence.uploaded) == ("d-staging", "bundles/then.zip", True)


def test_the_second_call_copies_nothing() -> None:
    aws = world()
    package_artifact.run(promoting(), aws.as_aws())
    before = dict(aws.artifacts.objects)
    result = package_artifact.run(promoting(), aws.as_aws())
    assert result.evidence is not None
    assert not result.evidence.uploaded
    assert aws.artifacts.objects == before


def test_an_object_of_ones_own_with_other_bytes_is_replaced_by_those_that_passed() -> None:
    aws = world()
    aws.artifacts.objects[f"artifacts/dev/{BUILT.digest}.zip"] = b"something else"
    package_artifact.run(promoting(), aws.as_aws())
    assert aws.artifacts.objects[f"artifacts/dev/{BUILT.digest}.zip"] == BUILT.content


@pytest.mark.parametrize(("content", "code"), [(None, "PromotedArtifactGone"), (b"no zip", "PromotedArtifactChanged")])
def test_what_is_gone_or_changed_since_it_passed_is_refused(content: bytes | None, code: str) -> None:
    aws = world()
    del aws.artifacts.objects[SOURCE]
    if content is not None:
        aws.artifacts.objects[SOURCE] = content
    with pytest.raises(PhaseFailed) as refused:
        package_artifact.run(promoting(), aws.as_aws())
    assert (refused.value.code, refused.value.field) == (code, "from")
    assert f"artifacts/dev/{BUILT.digest}.zip" not in aws.artifacts.objects


def test_a_lost_sbom_does_not_stop_the_promotion() -> None:
    aws = world()
    del aws.artifacts.objects[SOURCE.replace(".zip", ".cdx.json")]
    evidence = package_artifact.run(promoting(), aws.as_aws()).evidence
    assert evidence is not None
    assert evidence.components == ()


def test_the_fingerprint_is_that_of_what_passed_and_not_of_todays_bundle() -> None:
    aws = world()
    evidence = package_artifact.run(promoting(), aws.as_aws()).evidence
    assert evidence is not None
    applied = promoting(results=results(evidence))
    before = package_artifact.fingerprint(applied, aws.as_aws())
    assert package_artifact.fingerprint(applied, aws.as_aws()) == before
    other = ArtifactEvidence(**encode(evidence) | {"digest": "other"})  # type: ignore[arg-type]
    assert package_artifact.fingerprint(promoting(results=results(other)), aws.as_aws()) != before
    deploy = request(results=results(evidence))
    assert package_artifact.fingerprint(deploy, aws.as_aws()) != before
