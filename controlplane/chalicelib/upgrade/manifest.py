"""What `bootstrap.py upgrade` uploads: one manifest that names template, code and parameters of a release by digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import BadRequest, PhaseFailed

SCHEMA = 1
KEY = re.compile(r"controlplane/release-([0-9a-f]{64})\.json")


@dataclass(frozen=True, slots=True)
class Manifest:
    """schema: of this document. release: digest of template and parameters (`versions.release_of`). table_format: that
    the release writes. template: its key; template_sha256: hex. code: SHA-256 (hex) by key. parameters: of the stack,
    without Publication and Stage."""

    schema: int = SCHEMA
    release: str = ""
    version: str = ""
    table_format: int = 1
    template: str = ""
    template_sha256: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


def key_of(content: bytes) -> str:
    """Where a manifest lies in the bucket."""
    return f"controlplane/release-{hashlib.sha256(content).hexdigest()}.json"


def check_key(key: object) -> str:
    """The key. Raises BadRequest for anything that cannot be a manifest's."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise BadRequest(
            f"bundle is {str(key)[:80]!r}, which is no release's key",
            field="bundle",
            remedy="python3 bootstrap.py upgrade uploads a release and names it.",
        )
    return key


def read(key: str, content: bytes) -> Manifest:
    """The manifest. Raises PhaseFailed (ReleaseDamaged) when the content is not what its key says, and
    ReleaseTooNew for a document that this version cannot read."""
    if key_of(content) != key:
        raise damaged(key)
    document = json.loads(content)
    manifest = decode_lenient(Manifest, document)
    if manifest.schema > SCHEMA:
        raise PhaseFailed(
            f"the release is described in schema {manifest.schema}; this version reads up to {SCHEMA}",
            code="ReleaseTooNew",
            field="bundle",
            remedy="Upgrade to a version between the two first, or run bootstrap.py up --direct.",
        )
    return manifest


def damaged(key: str) -> PhaseFailed:
    """The error for an object that is not what the release says."""
    return PhaseFailed(
        f"{key} is missing, or is not what the release's digest says",
        code="ReleaseDamaged",
        field="bundle",
        remedy="Run python3 bootstrap.py upgrade again: it uploads what is missing.",
    )


def older(version: str, than: str) -> bool:
    """Whether `version` is before `than`; False where one of them is no number."""
    return _numbers(version) < _numbers(than) if _numbers(version) and _numbers(than) else False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")) if re.fullmatch(r"\d+(\.\d+)*", version) else ()
