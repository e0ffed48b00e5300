"""Secrets Manager's answers as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """What can be known without reading the value. stages: version ID by stage (AWSCURRENT, AWSPREVIOUS, …);
    `kms_key` is "" for the account's own aws/secretsmanager; `doomed` means that its deletion is scheduled."""

    arn: str
    name: str
    stages: Mapping[str, str]
    changed_at: datetime | None = None
    kms_key: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    doomed: bool = False


@dataclass(frozen=True, slots=True)
class SecretText:
    """A version's value. Kept out of `repr`, so that no log or traceback shows it."""

    version_id: str
    text: str = field(repr=False)
