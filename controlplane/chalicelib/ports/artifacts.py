"""The control plane's own bucket: bundles, artifacts, reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Artifacts(Protocol):
    """Objects of one bucket, by key: see `Aws.artifacts` and `Aws.packages`."""

    def exists(self, key: str) -> bool: ...

    def get(self, key: str) -> bytes:
        """Raises NotFound."""
        ...

    def put(self, key: str, body: bytes, *, content_type: str, tags: Mapping[str, str] | None = None) -> str:
        """Store with a SHA-256 checksum that S3 verifies; returns that digest (hex)."""
        ...

    def sha256(self, key: str) -> str:
        """The object's digest (hex) as S3 holds it, or over its bytes where S3 has none. Raises NotFound."""
        ...

    def keys(self, prefix: str) -> Sequence[str]: ...

    def delete(self, keys: Sequence[str]) -> None: ...
