"""package_artifact: keyed by its tree, verified, and uploaded once."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import zipfile

import pytest
from chalicelib.artifacts import archive, assembly
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.model import Applied
from chalicelib.phases.package_artifact import run as package_artifact

from tests.fakes import FakeAws, settings
from tests.fakes.requests import environment, request, results
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


def recompressed(content: bytes, **changes: bytes) -> bytes:
    """A zip of the same tree, changes aside, without compression: as another zlib would write it."""
    files, executable = archive.unpack(content)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as opened:
        for path, data in (files | changes).items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o755 if path in executable else 0o644) << 16
            opened.writestr(entry, data)
    return out.getvalue()


def test_a_zip_of_the_same_tree_that_another_zlib_wrote_is_used_as_it_is() -> None:
    """Lambda computes CodeSha256 over the stored object, so the evidence holds that of the stored object."""
    fake, artifact = aws(), assembly.build(bundle())
    key = f"artifacts/dev/{artifact.digest}.zip"
    stored = fake.artifacts.objects[key] = recompressed(artifact.content)
    assert stored != artifact.content
    evidence = packaged(fake)
    assert (evidence.key, evidence.uploaded, evidence.bytes) == (key, False, len(stored))
    assert base64.b64decode(evidence.code_sha256) == hashlib.sha256(stored).digest()
    assert fake.artifacts.objects[key] == stored


def test_a_pinned_bundle_is_rolled_whatever_the_control_plane_holds_by_now() -> None:
    """A fleet's: what its first wave got."""
    fake = aws()
    held = fake.settings.bundle_key
    fake.settings = settings(bundle_key="bundles/newer.zip")
    pinned = request(pinned=held)
    result = package_artifact.run(pinned, fake.as_aws())
    assert result.evidence is not None
    assert (result.evidence.bundle, result.evidence.digest) == (held, assembly.build(bundle()).digest)
    prints = {package_artifact.fingerprint(each, fake.as_aws()) for each in (pinned, request())}
    assert len(prints) == 2
    with pytest.raises(PhaseFailed, match=r"bundles/newer\.zip is not in the bucket"):
        package_artifact.run(request(), fake.as_aws())


CORRUPT = {
    "no zip": b"something else",
    "nothing": b"",
    "half a zip": assembly.build(bundle()).content[:-30],
    "a changed byte": recompressed(assembly.build(bundle()).content, **{"proxy/core.py": b"import os\n"}),
    "one more file": recompressed(assembly.build(bundle()).content, **{"sitecustomize.py": b""}),
    "other modes": archive.pack(archive.unpack(assembly.build(bundle()).content)[0]),
}


@pytest.mark.parametrize("kind", CORRUPT)
def test_an_object_with_another_tree_than_its_key_says_is_named_and_uploaded_again(kind: str) -> None:
    fake, built = aws(), assembly.build(bundle())
    key = f"artifacts/dev/{built.digest}.zip"
    fake.artifacts.objects[key] = CORRUPT[kind]
    result = package_artifact.run(request(), fake.as_aws())
    assert fake.artifacts.objects[key] == built.content
    assert result.evidence is not None
    assert key in str(result.evidence.repaired)
    assert "uploaded again" in result.summary


@pytest.mark.parametrize("spoil", ["deleted", "changed"])
def test_an_artifact_that_someone_touched_changes_the_fingerprint_is_named_and_comes_back(spoil: str) -> None:
    fake = aws()
    evidence = package_artifact.run(request(), fake.as_aws()).evidence
    assert evidence is not None
    assert evidence.repaired is None
    stands = environment(applied={"package_artifact": Applied("f", "d-old", "t", encode(evidence))})
    current = request(environment=stands, results=results(evidence))
    same = package_artifact.fingerprint(current, fake.as_aws())
    if spoil == "deleted":
        del fake.artifacts.objects[evidence.key]
    else:
        fake.artifacts.objects[evidence.key] = b"something else"
    assert package_artifact.fingerprint(current, fake.as_aws()) != same
    result = package_artifact.run(current, fake.as_aws())
    assert evidence.key in result.summary
    assert package_artifact.fingerprint(current, fake.as_aws()) == same


def test_an_upload_that_arrives_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = aws()
    monkeypatch.setattr(fake.artifacts, "sha256", lambda key: "0" * 64)
    with pytest.raises(PhaseFailed, match="differs from that of the upload") as caught:
        package_artifact.run(request(), fake.as_aws())
    assert caught.value.code == "ArtifactCorrupt"


def test_a_missing_bundle_says_who_makes_it() -> None:
    with pytest.raises(PhaseFailed, match=r"bundles/abc\.zip") as caught:
        package_artifact.run(request(), FakeAws().as_aws())
    assert "bootstrap.py up" in str(caught.value.remedy)


def test_the_evidence_holds_what_lambda_will_report_as_code_sha256() -> None:
    fake = aws()
    evidence = packaged(fake)
    assert base64.b64decode(evidence.code_sha256) == hashlib.sha256(fake.artifacts.objects[evidence.key]).digest()


def test_evidence_of_before_keys_named_trees_is_still_read() -> None:
    """Its digest is that of the zip; the key, the digest and Lambda's CodeSha256 agree with each other as before."""
    fake = aws()
    sha256 = hashlib.sha256(b"an artifact of the old kind").digest()
    key = f"artifacts/dev/{sha256.hex()}.zip"
    fake.artifacts.objects[key] = b"an artifact of the old kind"
    old = ArtifactEvidence(key=key, digest=sha256.hex(), code_sha256=base64.b64encode(sha256).decode())
    again = request(results=results(old))
    before = package_artifact.fingerprint(again, fake.as_aws())
    del fake.artifacts.objects[key]
    assert package_artifact.fingerprint(again, fake.as_aws()) != before
    assert assembly.is_artifact_key(key)


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
