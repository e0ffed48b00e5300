"""Lambda functions, their versions and aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Alias:
    """weights: share of traffic in (0, 1) that goes to versions other than `version`. revision: Lambda's own word for
    this state of the alias, another after every change; "" for one that is still to be made."""

    name: str
    version: str
    weights: Mapping[str, float] = field(default_factory=dict)
    revision: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Version:
    """code_sha256 is Lambda's base64; `description` holds what release_code wrote there."""

    number: str
    code_sha256: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class FunctionConfig:
    """The parts of `$LATEST` or a version that a release sets. update_status: Successful, InProgress or Failed."""

    code_sha256: str
    memory_mb: int
    timeout_s: int
    environment: Mapping[str, str]
    runtime: str
    state: str = "Active"
    update_status: str = "Successful"
    update_reason: str = ""
    arn: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """What a release sets beside the code. `environment` replaces all variables."""

    memory_mb: int
    timeout_s: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a function. log: the last 4 KB that it wrote, with Lambda's REPORT line where there is one.

    failed: what went wrong (`Unhandled`), empty when nothing did; ms: as the caller saw it.
    """

    payload: bytes
    log: str
    failed: str
    ms: float


@dataclass(frozen=True, slots=True)
class ConcurrencyLimits:
    """The account's, in this region: all concurrent executions, and those that no function has reserved."""

    total: int
    unreserved: int


class Functions(Protocol):
    """A missing function, version or alias raises NotFound."""

    def config(self, function: str, qualifier: str | None = None) -> FunctionConfig: ...

    def versions(self, function: str) -> Sequence[Version]:
        """Published versions, oldest first, without $LATEST."""
        ...

    def aliases(self, function: str) -> Mapping[str, Alias]: ...

    def point(self, function: str, alias: Alias, *, revision: str = "") -> None:
        """Make the alias exactly this: version and weights. With `revision`, only if it still is the one that was seen
        under it; else raises Conflict."""
        ...

    def update_code(self, function: str, *, bucket: str, key: str) -> None:
        """Replace `$LATEST`'s code; Lambda needs a moment afterwards (`update_status`)."""
        ...

    def update_settings(self, function: str, settings: FunctionSettings) -> None:
        """Replace `$LATEST`'s settings; Lambda needs a moment afterwards (`update_status`)."""
        ...

    def publish(self, function: str, *, code_sha256: str, description: str) -> Version:
        """Publish `$LATEST`. Refused (AwsCallFailed) when its code is not `code_sha256` (base64) any more. Lambda
        answers with the newest version, unchanged, when nothing has changed since."""
        ...

    def delete_version(self, function: str, version: str) -> None:
        """Nothing happens when it is gone."""
        ...

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any]) -> Invocation:
        """Call one version or alias and wait for its answer."""
        ...

    def limits(self) -> ConcurrencyLimits: ...
