"""Facts about package_artifact: content-addressed, verified, and done once."""

from __future__ import annotations

import dataclasses

import pytest
from chalicelib.artifacts import assembly
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.phases.package_artifact import run as package_artifact

from tests.fakes import FakeAws, settings
from tests.fakes.requests import request, results
from tests.unit.artifacts.test_assembly import FILES, bundle


def aws(content: bytes | None = None) -> FakeAws:
    fake = FakeAws()
    fake.artifacts.objects["bundles/abc.zip"] = content or bundle()
    return fake


def packaged(fake: FakeAws) -> ArtifactEvidence:
    evidence = package_artifact.run(request(), fake.as_aws()).evidence
    assert evidence is not None
    return evidence


def test_the_artifact_lies_under_its_own_digest_with_its_sbom() -> None:
    fake = aws()
    evidence = packaged(fake)
    artifact = assembly.build(bundle())
    assert evidence.key == f"artifacts/dev/{artifact.digest}.zip"
    assert fake.artifacts.objects[evidence.key] == artifact.content
    assert fake.artifacts.objects[evidence.sbom] == artifact.sbom
    assert evidence.uploaded


def test_the_second_time_nothing_is_uploaded() -> None:
    fake = aws()
    packaged(fake)
    before = dict(fake.artifacts.objects)
    assert not packaged(fake).uploaded
    assert fake.artifacts.objects == before


def test_an_object_that_is_not_what_its_name_says_is_refused() -> None:
    fake = aws()
    key = f"artifacts/dev/{assembly.build(bundle()).digest}.zip"
    fake.artifacts.objects[key] = b"something else"
    with pytest.raises(PhaseFailed) as caught:
        package_artifact.run(request(), fake.as_aws())
    assert caught.value.code == "ArtifactCorrupt"


def test_a_missing_bundle_says_who_makes_it() -> None:
    with pytest.raises(PhaseFailed, match=r"bundles/abc\.zip") as caught:
        package_artifact.run(request(), FakeAws().as_aws())
    assert "bootstrap.py up" in str(caught.value.remedy)


def test_lambda_will_report_the_digest_in_base64() -> None:
    import base64

    evidence = packaged(aws())
    assert base64.b64decode(evidence.code_sha256).hex() == evidence.digest


def test_the_fingerprint_follows_the_bundle_and_whether_the_artifact_is_still_there() -> None:
    fake = aws()
    evidence = packaged(fake)
    again = request(results=results(evidence))
    same = package_artifact.fingerprint(again, fake.as_aws())
    other = dataclasses.replace(fake, settings=settings(bundle_key="bundles/new.zip"))
    assert package_artifact.fingerprint(again, other.as_aws()) != same
    del fake.artifacts.objects[evidence.key]
    assert package_artifact.fingerprint(again, fake.as_aws()) != same


def test_the_proxy_of_this_checkout_can_be_packaged_from_its_manifest() -> None:
    """What proxy/artifact.json lists is there, and small enough to start fast (1 MB with its dependencies)."""
    from pathlib import Path

    sources = Path(__file__).resolve().parents[4] / "proxy"
    own = {f"proxy/{path.name}": path.read_bytes() for path in sources.iterdir() if path.is_file()}
    artifact = assembly.build(bundle(**{**dict.fromkeys(FILES), **own}))
    assert "proxy/core.py" not in assembly.machine_code(own)
    assert artifact.files > 20
    assert len(artifact.content) < 1_000_000
