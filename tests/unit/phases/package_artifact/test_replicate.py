"""The package of an environment in a target: the bytes that were verified at home, and no others."""

from __future__ import annotations

import base64

import pytest
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.engine.phase import Request
from chalicelib.phases.package_artifact import run as package_artifact
from chalicelib.phases.package_artifact.replicate import replicate

from tests.fakes import FakeAws, FakeTarget
from tests.fakes.requests import request, results
from tests.unit.artifacts.test_assembly import bundle
from tests.unit.domain.test_targets import BLOCK

THERE = Target(**BLOCK)
REQUEST = request(config=Config(target=THERE))


def world() -> tuple[FakeAws, FakeTarget]:
    home = FakeAws()
    home.artifacts.objects[home.settings.bundle_key] = bundle()
    home.at(THERE, "package_artifact")
    return home, home.targets[THERE.place]


def packaged(there: FakeTarget, by: Request = REQUEST) -> ArtifactEvidence:
    evidence = package_artifact.run(by, there.as_aws()).evidence
    assert evidence is not None
    return evidence


def test_the_target_gets_the_bytes_that_home_has() -> None:
    home, there = world()
    evidence = packaged(there)
    assert there.packages.objects == {evidence.key: home.artifacts.objects[evidence.key]}
    assert there.packages.sha256(evidence.key) == base64.b64decode(evidence.code_sha256).hex()
    assert evidence.replica == "proxyctl-222222222222-eu-west-1"


def test_at_home_there_is_one_object_and_no_replica() -> None:
    home, there = world()
    evidence = package_artifact.run(request(), home.as_aws()).evidence
    assert evidence is not None
    assert evidence.replica is None
    assert not there.packages.objects


def test_a_replica_that_has_the_bytes_is_not_sent_again() -> None:
    _, there = world()
    evidence = packaged(there)
    there.packages.put = None  # type: ignore[method-assign, assignment]
    assert packaged(there).replica == evidence.replica


@pytest.mark.parametrize("stored", [None, b"another zip"])
def test_a_replica_that_is_gone_or_changed_is_written_again_and_the_phase_is_not_skipped(stored: bytes | None) -> None:
    home, there = world()
    evidence = packaged(there)
    later = request(config=Config(target=THERE), results=results(evidence))
    before = package_artifact.fingerprint(later, there.as_aws())
    there.packages.delete([evidence.key])
    if stored is not None:
        there.packages.objects[evidence.key] = stored
    assert package_artifact.fingerprint(later, there.as_aws()) != before
    packaged(there)
    assert there.packages.objects[evidence.key] == home.artifacts.objects[evidence.key]
    assert package_artifact.fingerprint(later, there.as_aws()) == before


def test_a_bucket_that_stores_something_else_fails_the_phase() -> None:
    _, there = world()
    there.packages.sha256 = lambda key: "0" * 64  # type: ignore[method-assign]
    with pytest.raises(PhaseFailed, match="bucket proxyctl-222222222222-eu-west-1 has SHA-256 000") as caught:
        packaged(there)
    assert caught.value.code == "ArtifactCorrupt"


def test_bytes_that_changed_at_home_are_not_copied() -> None:
    home, there = world()
    home.artifacts.objects["artifacts/dev/x.zip"] = b"changed since"
    with pytest.raises(PhaseFailed, match="in the control plane's bucket"):
        replicate("artifacts/dev/x.zip", "1" * 64, REQUEST, there.as_aws())
    assert not there.packages.objects
