"""Evidence of package_artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ArtifactEvidence:
    """The proxy's deployment package in the control plane's bucket.

    digest: SHA-256 (hex) of the tree in the package, which identifies it (records of before decision 007: of the zip).
    code_sha256: SHA-256 of the stored zip as Lambda writes it (base64).
    bytes, unpacked_bytes: sizes; largest: bytes of the largest parts by path. sbom: key of the CycloneDX document;
    components: `name@version` of each library in it. uploaded: False when the package was in the bucket already.
    repaired: what someone had done to the package in the bucket, None for nothing.
    promoted_from: ID of the deployment in which these bytes passed, None where they were built here. replica: bucket of
    the target that has a copy with the same SHA-256; None in the control plane's own account and region.
    """

    PHASE: ClassVar[str] = "package_artifact"

    key: str = ""
    digest: str = ""
    code_sha256: str = ""
    bytes: int = 0
    unpacked_bytes: int = 0
    files: int = 0
    largest: Mapping[str, int] = field(default_factory=dict)
    python: str = ""
    bundle: str = ""
    sbom: str = ""
    components: tuple[str, ...] = ()
    uploaded: bool = False
    repaired: str | None = None
    promoted_from: str | None = None
    replica: str | None = None
