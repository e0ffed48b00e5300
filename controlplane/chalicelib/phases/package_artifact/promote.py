"""Copies the artifact that passed in another environment, byte for byte, instead of building one."""

from __future__ import annotations

import base64
import hashlib

from chalicelib.artifacts import sbom
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws

from .look import Tree, sha256_of, tree_of


def copy(promotion: Promotion, request: Request, aws: Aws) -> Result[ArtifactEvidence]:
    """Copy zip and SBOM under the environment's own prefix, and verify the digest of what the bucket stores.

    Raises PhaseFailed: PromotedArtifactGone, PromotedArtifactChanged when the zip is not the one that passed.
    """
    content, tree = _passed(promotion, aws)
    key = f"{request.names.artifacts_prefix}{promotion.digest}.zip"
    sbom_key = f"{request.names.artifacts_prefix}{promotion.digest}.cdx.json"
    uploaded = sha256_of(key, aws.artifacts) != _hex(promotion)
    if uploaded:
        aws.artifacts.put(key, content, content_type="application/zip", tags=request.names.tags)
    components = _copy_sbom(promotion, sbom_key, request, aws)
    if sha256_of(key, aws.artifacts) != _hex(promotion):
        raise _changed(key, promotion)
    evidence = ArtifactEvidence(
        key=key,
        digest=promotion.digest,
        code_sha256=promotion.code_sha256,
        bytes=len(content),
        unpacked_bytes=tree.bytes,
        files=tree.files,
        bundle=promotion.bundle,
        sbom=sbom_key,
        components=components,
        uploaded=uploaded,
        promoted_from=promotion.deployment_id,
    )
    done = "Copied" if uploaded else "The bucket has"
    passed = f"which passed in {promotion.environment} with deployment {promotion.deployment_id}"
    return Result.done(f"{done} artifact {promotion.digest[:12]} ({len(content) / 1e6:.2f} MB), {passed}", evidence)


def _passed(promotion: Promotion, aws: Aws) -> tuple[bytes, Tree]:
    """The zip, and what it unpacks to."""
    try:
        content = aws.artifacts.get(promotion.artifact)
    except NotFound as error:
        raise PhaseFailed(
            f"the artifact {promotion.artifact} that passed in {promotion.environment} is not in the bucket",
            code="PromotedArtifactGone",
            field="from",
            remedy=f"Deploy {promotion.environment} again, which uploads it, then promote.",
        ) from error
    tree = tree_of(content)
    if hashlib.sha256(content).hexdigest() != _hex(promotion) or tree.digest != promotion.digest:
        raise _changed(promotion.artifact, promotion)
    return content, tree


def _copy_sbom(promotion: Promotion, key: str, request: Request, aws: Aws) -> tuple[str, ...]:
    """The components that the copied document names; none where the bucket lost the document."""
    try:
        document = aws.artifacts.get(promotion.artifact.removesuffix(".zip") + ".cdx.json")
    except NotFound:
        return ()
    if not aws.artifacts.exists(key):
        aws.artifacts.put(key, document, content_type="application/vnd.cyclonedx+json", tags=request.names.tags)
    return tuple(sbom.components(document))


def _hex(promotion: Promotion) -> str:
    return base64.b64decode(promotion.code_sha256).hex()


def _changed(key: str, promotion: Promotion) -> PhaseFailed:
    return PhaseFailed(
        f"the object {key} is not the artifact that passed in {promotion.environment}",
        code="PromotedArtifactChanged",
        field="from",
        remedy=f"Check who may write to artifacts/, deploy {promotion.environment} again, then promote.",
        evidence={"expected": promotion.digest},
    )
