"""Secrets Manager: where the provider's key lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.domain.aws.secrets import SecretInfo, SecretText, SecretVersion


class Secrets(Protocol):
    """Secrets by name or ARN. A version without a label is deleted by Secrets Manager."""

    def find(self, secret: str) -> SecretInfo | None: ...

    def read(self, secret: str, stage: str = "AWSCURRENT") -> SecretText:
        """The version with that label. Raises NotFound, AccessDenied."""
        ...

    def read_version(self, secret: str, version_id: str) -> SecretText:
        """Raises NotFound, AccessDenied."""
        ...

    def versions(self, secret: str) -> Sequence[SecretVersion]:
        """All versions with a label, newest first. Raises NotFound."""
        ...

    def create(self, name: str, text: str, *, tags: Mapping[str, str], version_id: str, key: str = "") -> SecretInfo:
        """A secret with its first version, which is current at once. key: ARN of the KMS key that encrypts it, "" for
        the account's own. Raises Conflict (SecretChanged) when there is
        one, scheduled for deletion or not. The embedded cloud chooses another ID for the version."""
        ...

    def add_version(self, secret: str, text: str, *, version_id: str, stage: str) -> None:
        """Add a version under a label. With the same ID and text it does nothing the second time.

        Raises Conflict (IdempotencyKeyReused) when the ID belongs to a version with another value.
        """
        ...

    def label(self, secret: str, stage: str, version_id: str) -> None:
        """Put a label on a version; it leaves the version that has it. Raises NotFound."""
        ...

    def unlabel(self, secret: str, stage: str) -> None:
        """Remove a label; nothing happens when no version has it."""
        ...

    def move_current(self, secret: str, *, to_version: str, from_version: str) -> None:
        """Move AWSCURRENT, at once for every reader. Raises Conflict (SecretChanged) when another version than
        `from_version` has it, NotFound when `to_version` is gone."""
        ...

    def restore(self, secret: str) -> None:
        """Cancel a scheduled deletion."""
        ...

    def delete(self, secret: str, recovery_days: int) -> None:
        """0 deletes at once; nothing happens when it is gone."""
        ...
