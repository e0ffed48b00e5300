"""Evidence of prepare_secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Access:
    """IAM's decisions: `allowed`, `implicitDeny`, `explicitDeny`, or `NOT RUN: …` with the reason."""

    execution_role: str = ""
    stranger: str = ""


@dataclass(frozen=True, slots=True)
class SecretEvidence:
    """The secret that the release reads. No field holds a part of its value.

    version_id: the version that this deployment rolls: the pending one where there is one, else the current one.
    replaces: the current version while another is pending, else "". created_at: when the version was stored, ISO 8601.
    previous_version_id: the version with AWSPREVIOUS, "" for none.
    models: aliases, sorted; targets: upstream model by alias. client_keys: how many. kms_key: "" for the account's own
    key. age_days: whole days since the key was last changed. restored: whether a scheduled deletion was cancelled.
    models_of: `<ARN>#<version ID>` of the secret whose models a promotion took, None without a promotion.
    """

    PHASE: ClassVar[str] = "prepare_secret"

    arn: str = ""
    name: str = ""
    adopted: bool = False
    version_id: str = ""
    replaces: str = ""
    created_at: str = ""
    previous_version_id: str = ""
    previous_is_good: bool = False
    schema: int = 0
    models: tuple[str, ...] = ()
    targets: Mapping[str, str] = field(default_factory=dict)
    client_keys: int = 0
    age_days: int = 0
    kms_key: str = ""
    access: Access = Access()
    warnings: tuple[str, ...] = ()
    restored: bool = False
    models_of: str | None = None
