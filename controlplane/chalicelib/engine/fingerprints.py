"""Fingerprints: one string that is equal exactly when the inputs are."""

from __future__ import annotations

import dataclasses
import hashlib
import json


def _plain(value: object) -> dict[str, object]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"a fingerprint takes JSON values and dataclasses, not {type(value).__name__}")


def fingerprint(*parts: object) -> str:
    """SHA-256 (hex) over the canonical JSON of the parts: JSON values and dataclasses of them."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()
