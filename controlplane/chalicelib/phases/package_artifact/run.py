"""Phase 3: assembles the proxy's deployment package and puts it, content-addressed, into the bucket.

The bundle (sources and locked dependencies, built by bootstrap.py) is compiled here, because here runs the Python that
the proxy will run under. The artifact's key is its digest, so an artifact that is there already is never made twice.
"""

from __future__ import annotations

import base64
import sys

from chalicelib.artifacts import assembly, sbom
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws


def fingerprint(request: Request, aws: Aws) -> str:
    """Sources, the rules that assemble them, this Python; and that the result is still in the bucket."""
    made = request.results.get("package_artifact", {}).get("key", "")
    there = bool(made) and aws.artifacts.exists(made)
    return fingerprint_of(aws.settings.bundle_key, assembly.RULES, sys.implementation.cache_tag, there)


def run(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    made = assembly.build(_bundle(aws))
    key = f"{names.artifacts_prefix}{made.digest}.zip"
    sbom_key = f"{names.artifacts_prefix}{made.digest}.cdx.json"
    known = aws.artifacts.exists(key)
    if not known:
        aws.artifacts.put(key, made.content, content_type="application/zip", tags=names.tags)
    if not aws.artifacts.exists(sbom_key):
        aws.artifacts.put(sbom_key, made.sbom, content_type="application/vnd.cyclonedx+json", tags=names.tags)
    _verify(key, made.digest, aws)
    size = f"{len(made.content) / 1e6:.2f} MB, {made.files} files"
    verb = "was in the bucket already" if known else "uploaded and verified"
    return Result.done(
        f"Artifact {made.digest[:12]} ({size}) {verb}",
        key=key,
        digest=made.digest,
        code_sha256=base64.b64encode(bytes.fromhex(made.digest)).decode(),
        bytes=len(made.content),
        unpacked_bytes=made.unpacked,
        files=made.files,
        largest=dict(made.largest),
        python=sys.implementation.cache_tag,
        bundle=aws.settings.bundle_key,
        sbom=sbom_key,
        components=sbom.components(made.sbom),
        uploaded=not known,
    )


def _bundle(aws: Aws) -> bytes:
    try:
        return aws.artifacts.get(aws.settings.bundle_key)
    except NotFound as error:
        raise PhaseFailed(
            f"the proxy's bundle {aws.settings.bundle_key} is not in the bucket",
            code="BundleMissing",
            remedy="Run bootstrap.py up again: it builds and uploads the bundle.",
        ) from error


def _verify(key: str, digest: str, aws: Aws) -> None:
    """What S3 holds under the digest's name must have that digest, whoever put it there."""
    stored = aws.artifacts.sha256(key)
    if stored != digest:
        raise PhaseFailed(
            f"{key} has SHA-256 {stored} in S3, not the one in its name",
            code="ArtifactCorrupt",
            remedy=f"Delete the object {key} and deploy again; find out who may write to this prefix.",
            evidence={"expected": digest, "stored": stored},
        )


PHASE = Definition(run, dict, fingerprint=fingerprint)
