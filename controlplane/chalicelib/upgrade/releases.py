"""Reads releases: keys and manifests that are what their digest says, and which of two versions is the older."""

from __future__ import annotations

import json
import re

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import BadRequest, PhaseFailed

from .manifest import SCHEMA, Manifest, key_of

# Raise it with a change of the API that an older client would misunderstand. It names itself in the header.
OLDEST_CLIENT, CLIENT_HEADER = "0.1.0", "x-proxyctl-client"
KEY = re.compile(r"controlplane/release-([0-9a-f]{64})\.json")


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


def refuse_old_client(version: str, oldest: str = OLDEST_CLIENT) -> None:
    """version: of the client, "" for one that does not say. Raises BadRequest (ClientTooOld)."""
    if older(version, oldest):
        raise BadRequest(
            f"this client is version {version}; the control plane works with {oldest} and newer ones",
            code="ClientTooOld",
            field=CLIENT_HEADER,
            remedy="Install the client of the control plane's version: pipx install --force . in its checkout.",
        )
