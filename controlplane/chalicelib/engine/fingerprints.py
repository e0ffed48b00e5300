"""Fingerprints: one string that is equal exactly when the inputs are."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no place in a fingerprint")


def fingerprint(*parts: Any) -> str:
    """SHA-256 (hex) over the canonical JSON of the parts: JSON values and dataclasses of them."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()
