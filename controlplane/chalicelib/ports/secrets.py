"""Secrets Manager: where the provider's key lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


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


class Secrets(Protocol):
    """Secrets by name or ARN."""

    def find(self, secret: str) -> SecretInfo | None: ...

    def read(self, secret: str, stage: str = "AWSCURRENT") -> SecretText:
        """Raises NotFound, or AccessDenied."""
        ...

    def store(self, name: str, text: str, *, tags: Mapping[str, str], token: str) -> SecretInfo:
        """Create the secret, or add a version that becomes AWSCURRENT (the one before stays as AWSPREVIOUS).
        The same token with the same text does it once. A secret whose deletion is scheduled is brought back."""
        ...

    def move_current(self, secret: str, *, to_version: str, from_version: str) -> None:
        """Put AWSCURRENT on another version, for instance back on the previous one."""
        ...

    def delete(self, secret: str, recovery_days: int) -> None:
        """0 deletes at once; nothing happens when it is gone."""
        ...
