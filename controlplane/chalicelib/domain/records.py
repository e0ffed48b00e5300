"""Values that the records port takes and answers: states, claims, endings, history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What a deployment does to its environment."""

    DEPLOY = "deploy"
    PROMOTE = "promote"
    PLAN = "plan"
    ROTATE = "rotate"
    REVALIDATE = "revalidate"
    ROLLBACK = "rollback"
    CLEANUP = "cleanup"
    DRILL = "drill"
    UPGRADE = "upgrade"

    @property
    def deploys(self) -> bool:
        """Whether it runs the phases of a deploy. A promotion does, with bytes and models that passed elsewhere."""
        return self in (Action.DEPLOY, Action.PROMOTE)


class DeploymentStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING_APPROVAL = "WAITING_APPROVAL"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ROLLED_BACK = "ROLLED_BACK"
    ABORTED = "ABORTED"

    @property
    def is_final(self) -> bool:
        return self in (
            DeploymentStatus.SUCCEEDED,
            DeploymentStatus.FAILED,
            DeploymentStatus.ROLLED_BACK,
            DeploymentStatus.ABORTED,
        )


class PhaseStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"

    @property
    def is_done(self) -> bool:
        """Whether the phase has ended well; one that failed may be called again."""
        return self in (PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key and the digest of the body that came with it."""

    key: str
    body_sha256: str


class SecretState(StrEnum):
    """What became of a stored secret. STORED: nobody is served yet, and the first deploy checks it. ROLLING: a
    deployment checks it on the candidate, and users get it when it passes. LIVE: users read it from now on."""

    STORED = "STORED"
    ROLLING = "ROLLING"
    LIVE = "LIVE"


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One difference between an environment and its record. healed: whether the check that found it put it back."""

    where: str = ""
    expected: str = ""
    found: str = ""
    healed: bool = False
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """From the first revalidation of an environment that failed to the first that passed. Times are ISO 8601.

    opened_by, closed_by: deployments; closed_at: None while it is open. why: the summary of the first failure; drift:
    its differences; how: the summary of the deployment that closed it.
    """

    opened_at: str = ""
    opened_by: str = ""
    why: str = ""
    drift: tuple[DriftRow, ...] = ()
    closed_at: str | None = None
    closed_by: str | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One deployment in an environment's history. who: the caller; why: options.reason.

    changed: whether another version was released; users_saw_it: whether users reached it before it failed. diff:
    `[before, after]` by field of the configuration, and by `version`. drift: what a revalidation found, the first ten.
    usd: what it cost at the list prices of that time; None in records of earlier versions.
    """

    at: str = ""
    deployment_id: str = ""
    action: str = ""
    outcome: str = ""
    summary: str = ""
    who: str = ""
    why: str = ""
    requested_at: str | None = None
    changed: bool = True
    users_saw_it: bool = False
    diff: Mapping[str, object] = field(default_factory=dict)
    drift: tuple[DriftRow, ...] = ()
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a deployment ends: changes to its record and to its environment's, and a line of history.

    at: ISO 8601. execution_arn: the execution that may end it, if that still holds the environment. forgets: phases
    whose applied fingerprint and evidence are deleted. unless_aborted: refuse when an abort was requested.
    """

    at: str
    execution_arn: str
    deployment: Mapping[str, object]
    environment: Mapping[str, object]
    history: Mapping[str, object]
    forgets: Sequence[str] = ()
    unless_aborted: bool = False
