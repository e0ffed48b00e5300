"""What a bucket stores, and what a zip unpacks to."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass

from chalicelib.artifacts import archive
from chalicelib.domain.errors import NotFound
from chalicelib.ports.artifacts import Artifacts


def sha256_of(key: str, bucket: Artifacts) -> str:
    """SHA-256 (hex) of the object; "" when there is none."""
    try:
        return bucket.sha256(key)
    except NotFound:
        return ""


@dataclass(frozen=True, slots=True)
class Tree:
    """What a zip unpacks to. digest: of the tree, "" for what cannot be read as a zip; bytes: of all files together."""

    digest: str = ""
    files: int = 0
    bytes: int = 0


def tree_of(content: bytes) -> Tree:
    """The tree in a zip."""
    try:
        files, executable = archive.unpack(content)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError):  # the last for a compression that Python lacks
        return Tree()
    return Tree(archive.tree_digest(files, executable), len(files), sum(map(len, files.values())))
