"""What a bucket stores, and what a zip unpacks to."""

from __future__ import annotations

import zipfile
import zlib

from chalicelib.artifacts import archive
from chalicelib.domain.errors import NotFound
from chalicelib.ports.artifacts import Artifacts


def sha256_of(key: str, bucket: Artifacts) -> str:
    """SHA-256 (hex) of the object; "" when there is none."""
    try:
        return bucket.sha256(key)
    except NotFound:
        return ""


def tree_of(content: bytes) -> str:
    """Digest of the tree in a zip; "" for what cannot be read as a zip."""
    try:
        return archive.tree_digest(*archive.unpack(content))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError):  # the last for a compression that Python lacks
        return ""
