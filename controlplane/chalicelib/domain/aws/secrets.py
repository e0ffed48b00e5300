"""Secrets Manager's answers as values, and the staging labels that the control plane uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.errors import BadRequest

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
# The proxy reads this version for requests on the candidate's path; the name and the time are the proxy's own
# (proxy/secret), and a test compares them.
PENDING = "PROXYCTL_PENDING"
CANDIDATE_TTL_S = 2.0
_RELEASE, _STAGED = "PROXYCTL_RELEASE_", "PROXYCTL_STAGED_"


def release_label(version_id: str) -> str:
    """The label that keeps the version of a release: Secrets Manager deletes versions without a label."""
    return _RELEASE + version_id


def staged_label(version_id: str) -> str:
    """The label of a version that waits for its rollout; nobody reads it."""
    return _STAGED + version_id


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """What can be known without reading the value. stages: version ID by label (AWSCURRENT, AWSPREVIOUS, …);
    `kms_key` is "" for the account's own aws/secretsmanager; `doomed` means that its deletion is scheduled."""

    arn: str
    name: str
    stages: Mapping[str, str]
    changed_at: datetime | None = None
    kms_key: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    doomed: bool = False

    @property
    def current(self) -> str:
        """ID of the version that users get; "" for a secret without a value."""
        return self.stages.get(CURRENT, "")

    @property
    def release_versions(self) -> tuple[str, ...]:
        """IDs of the versions that `release_label` keeps."""
        return tuple(version for label, version in self.stages.items() if label == release_label(version))


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """A version with at least one label, without its value."""

    id: str
    stages: tuple[str, ...]
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecretText:
    """A version's value: text, or bytes where it is stored as SecretBinary. Kept out of `repr`, so that no log or
    traceback shows it."""

    version_id: str
    content: str | bytes = field(repr=False)
    created_at: datetime | None = None

    @property
    def text(self) -> str:
        """The text. Raises BadRequest (SecretMalformed) for a binary value, which the proxy does not read."""
        if isinstance(self.content, bytes):
            raise BadRequest(
                "the secret is stored as binary (SecretBinary); the proxy reads text only",
                code="SecretMalformed",
                field="(document)",
                remedy="Store the document again as text (SecretString).",
            )
        return self.content

    @property
    def key(self) -> bytes:
        """The value as the bytes of a signing key."""
        return self.content if isinstance(self.content, bytes) else self.content.encode()
