"""Phase 3: builds the proxy's deployment package and uploads it to the control plane's bucket, keyed by its tree.

The bundle (sources and locked dependencies, uploaded by bootstrap.py) is compiled here, because this Lambda runs the
Python version that the proxy runs under. An artifact whose key exists is verified, and uploaded again only if it holds
another tree. Its zip may have other bytes than this Lambda would write, so Lambda's CodeSha256 is that of the stored
object.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from dataclasses import dataclass, replace

from chalicelib.artifacts import assembly, sbom
from chalicelib.artifacts.assembly import Artifact
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result, applied_as
from chalicelib.ports import Aws

from . import promote
from .look import sha256_of, tree_of
from .replicate import is_whole, replicate


def fingerprint(request: Request, aws: Aws) -> str:
    """The bundle, the rules that build it, this Python, and whether the bucket still has the applied artifact as it
    was. For a promotion, the artifact that passed instead of the bundle and the rules."""
    applied = request.results.find(ArtifactEvidence) or ArtifactEvidence()
    sha256 = base64.b64decode(applied.code_sha256).hex()
    intact = (
        bool(applied.key) and sha256_of(applied.key, aws.artifacts) == sha256 and is_whole(applied.key, sha256, aws)
    )
    if promotion := request.promotion:
        same = (applied.digest, applied.code_sha256) == (promotion.digest, promotion.code_sha256)
        return fingerprint_of("promotion", promotion.digest, promotion.code_sha256, promotion.bundle, intact and same)
    return fingerprint_of(request.bundle(aws), assembly.RULES, sys.implementation.cache_tag, intact)


def run(request: Request, aws: Aws) -> Result[ArtifactEvidence]:
    """Build, upload what the bucket lacks, verify what the bucket stores, and copy it to the environment's target.

    Raises PhaseFailed: BundleMissing, BundleBroken, SourceBroken, CompiledExtension, ArtifactTooLarge, ArtifactCorrupt,
    and of `promote`.
    """
    result = promote.copy(request.promotion, request, aws) if request.promotion else _build(request, aws)
    packaged = result.evidence or ArtifactEvidence()
    replica = replicate(packaged.key, base64.b64decode(packaged.code_sha256).hex(), request, aws)
    if replica is None:
        return result
    return Result.done(f"{result.summary}; bucket {replica} has the same bytes", replace(packaged, replica=replica))


def _build(request: Request, aws: Aws) -> Result[ArtifactEvidence]:
    artifact = assembly.build(_bundle(request.bundle(aws), aws))
    key = f"{request.names.artifacts_prefix}{artifact.digest}.zip"
    sbom_key = f"{request.names.artifacts_prefix}{artifact.digest}.cdx.json"
    repaired = _repaired(key, artifact, request, aws)
    uploaded = _upload(key, artifact.content, "application/zip", request, aws, again=bool(repaired))
    _upload(sbom_key, artifact.sbom, "application/vnd.cyclonedx+json", request, aws)
    stored = _verify_upload(key, artifact, aws) if uploaded else _stored(aws.artifacts.get(key))
    label = f"artifact {artifact.digest[:12]} ({len(artifact.content) / 1e6:.2f} MB, {artifact.files} files)"
    summary = f"Uploaded and verified {label}" if uploaded else f"The bucket has {label} already; verified"
    bundle = request.bundle(aws)
    evidence = _evidence(artifact, key, sbom_key, stored, bundle, uploaded=uploaded, repaired=repaired)
    return Result.done("; ".join(filter(None, [summary, repaired])), evidence)


def _repaired(key: str, artifact: Artifact, request: Request, aws: Aws) -> str:
    """What someone did to the artifact since it was uploaded, whose bytes this call has: it is uploaded again."""
    if aws.artifacts.exists(key):
        digest = tree_of(aws.artifacts.get(key)).digest
        tree = digest or "of no zip"
        return "" if digest == artifact.digest else f"the object {key} holds the tree {tree}: uploaded again"
    applied = applied_as(request.environment, ArtifactEvidence)
    return f"the object {key} was deleted: uploaded again" if applied and applied.key == key else ""


def _bundle(key: str, aws: Aws) -> bytes:
    try:
        return aws.artifacts.get(key)
    except NotFound as error:
        raise PhaseFailed(
            f"the proxy's bundle {key} is not in the bucket",
            code="BundleMissing",
            remedy="Run bootstrap.py up again: it builds and uploads the bundle.",
        ) from error


def _upload(key: str, content: bytes, content_type: str, request: Request, aws: Aws, *, again: bool = False) -> bool:
    """False when the bucket has an object of that key already. again: upload it nevertheless."""
    if aws.artifacts.exists(key) and not again:
        return False
    aws.artifacts.put(key, content, content_type=content_type, tags=request.names.tags)
    return True


@dataclass(frozen=True, slots=True)
class Stored:
    """The zip as the bucket stores it. sha256: hex, as Lambda will report it in base64; bytes: its size."""

    sha256: str
    bytes: int


def _verify_upload(key: str, artifact: Artifact, aws: Aws) -> Stored:
    """Compare the SHA-256 that S3 computed with that of the bytes sent."""
    sent, stored = hashlib.sha256(artifact.content).hexdigest(), aws.artifacts.sha256(key)
    if stored != sent:
        raise _corrupt(key, f"has SHA-256 {stored}, which differs from that of the upload", sent, stored)
    return Stored(stored, len(artifact.content))


def _stored(content: bytes) -> Stored:
    return Stored(hashlib.sha256(content).hexdigest(), len(content))


def _corrupt(key: str, problem: str, expected: str, stored: str) -> PhaseFailed:
    return PhaseFailed(
        f"the object {key} {problem}",
        code="ArtifactCorrupt",
        remedy=f"Delete the object {key}, check who may write to this prefix, then deploy again.",
        evidence={"expected": expected, "stored": stored},
    )


def _evidence(
    artifact: Artifact, key: str, sbom_key: str, stored: Stored, bundle: str, *, uploaded: bool, repaired: str
) -> ArtifactEvidence:
    return ArtifactEvidence(
        key=key,
        digest=artifact.digest,
        code_sha256=base64.b64encode(bytes.fromhex(stored.sha256)).decode(),
        bytes=stored.bytes,
        unpacked_bytes=artifact.unpacked,
        files=artifact.files,
        largest=dict(artifact.largest),
        python=str(sys.implementation.cache_tag),
        bundle=bundle,
        sbom=sbom_key,
        components=tuple(sbom.components(artifact.sbom)),
        uploaded=uploaded,
        repaired=repaired or None,
    )


PHASE = Definition(run, ArtifactEvidence, fingerprint=fingerprint)
