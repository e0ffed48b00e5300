"""Secrets Manager: where the provider's key lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.aws.secrets import SecretInfo, SecretText


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

    def delete(self, secret: str, recovery_days: int) -> None:
        """0 deletes at once; nothing happens when it is gone."""
        ...
