"""`ports.artifacts` in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from .missing import gone


class FakeArtifacts:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def exists(self, key: str) -> bool:
        return key in self.objects

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise gone(f"there is no object {key}")
        return self.objects[key]

    def put(self, key: str, body: bytes, *, content_type: str, tags: Mapping[str, str] | None = None) -> str:
        self.objects[key] = body
        return hashlib.sha256(body).hexdigest()

    def keys(self, prefix: str) -> Sequence[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    def sha256(self, key: str) -> str:
        return hashlib.sha256(self.get(key)).hexdigest()
