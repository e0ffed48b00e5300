"""The control plane's own bucket: bundles, artifacts, reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Artifacts(Protocol):
    """Objects of `settings.bucket`, by key."""

    def exists(self, key: str) -> bool: ...

    def get(self, key: str) -> bytes:
        """Raises NotFound."""
        ...

    def put(
        self, key: str, body: bytes, *, content_type: str, tags: Mapping[str, str] | None = None
    ) -> str:
        """Store with a SHA-256 checksum that S3 verifies; returns that digest (hex)."""
        ...

    def keys(self, prefix: str) -> Sequence[str]: ...

    def delete(self, keys: Sequence[str]) -> None: ...
