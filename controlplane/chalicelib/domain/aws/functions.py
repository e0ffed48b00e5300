"""Lambda functions, versions and aliases as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.errors import PhaseFailed


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
    """A published version. code_sha256: of its zip, Lambda's base64; description: written by release_code;
    artifact_digest: the version's variable ARTIFACT_DIGEST, "" where it has none; published_at: ISO 8601, or ""."""

    number: str
    code_sha256: str
    description: str = ""
    artifact_digest: str = ""
    published_at: str = ""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """What a release sets beside the code. `environment` replaces all variables."""

    memory_mb: int
    timeout_s: int
    environment: Mapping[str, str]


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

    @property
    def settings(self) -> FunctionSettings:
        """What a release sets of it beside the code."""
        return FunctionSettings(self.memory_mb, self.timeout_s, self.environment)


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


def alias_of(aliases: Mapping[str, Alias], name: str) -> Alias:
    """The alias of that name. Raises PhaseFailed (AliasMissing) when someone has deleted it."""
    if name in aliases:
        return aliases[name]
    raise PhaseFailed(
        f"alias {name} of the proxy's function was deleted by someone else",
        code="AliasMissing",
        field=name,
        remedy="Deploy again: deploy_stack makes it again. options.heal of a revalidation does, too.",
    )


@dataclass(frozen=True, slots=True)
class Permission:
    """A statement of an alias's policy that lets a service call it. source_arn: what may call; "" for anything."""

    statement_id: str
    principal: str
    source_arn: str
