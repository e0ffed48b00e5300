"""What `bootstrap.py upgrade` uploads: one manifest that names template, code and parameters of a release by digest.

Only the standard library, since the installer writes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """schema: of this document. release: digest of template and parameters (`versions.release_of`). table_format: that
    the release writes. config_fields: paths of all fields of a configuration that it knows. template: its key;
    template_sha256: hex. code: SHA-256 (hex) by key. parameters: of the stack, without Publication and Stage."""

    schema: int = SCHEMA
    release: str = ""
    version: str = ""
    table_format: int = 1
    config_fields: tuple[str, ...] = ()
    template: str = ""
    template_sha256: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


def key_of(content: bytes) -> str:
    """Where a manifest lies in the bucket."""
    return f"controlplane/release-{hashlib.sha256(content).hexdigest()}.json"
