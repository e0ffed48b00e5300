"""The words of the domain: actions, states, and the records that tell what happened. Times are ISO 8601, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .config import Config, Options

Evidence = Mapping[str, Any]

LEASE_S = 20 * 60  # longer than any Lambda may run, so that a living holder can always renew in time


class Action(StrEnum):
    """What a deployment does to its environment."""

    DEPLOY = "deploy"
    PLAN = "plan"
    REVALIDATE = "revalidate"
    ROLLBACK = "rollback"
    CLEANUP = "cleanup"
    DRILL = "drill"


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


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """One phase (number 1-12) or one step beside them (number 0) of one deployment.

    polls: calls so far. waits_for, waits: what it waits for, and how often in succession it has said so.
    """

    number: int
    name: str
    status: PhaseStatus
    started_at: str | None = None
    ended_at: str | None = None
    summary: str = ""
    evidence: Evidence = field(default_factory=dict)
    cursor: Evidence = field(default_factory=dict)
    error: Mapping[str, str] | None = None
    polls: int = 0
    waits_for: str = ""
    waits: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """What a phase last brought about in an environment, and the fingerprint of the inputs that it did so from."""

    fingerprint: str
    deployment_id: str
    at: str
    evidence: Evidence = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """What users get, or last got and were well served by: a function version and the configuration it ran under."""

    version: str
    deployment_id: str
    at: str
    artifact: str = ""
    config: Evidence = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """Who may change an environment. Past `lease_until` (epoch seconds), others may ask whether the holder lives."""

    deployment_id: str
    execution_arn: str
    lease_until: float


@dataclass(frozen=True, slots=True)
class Environment:
    """What is known of an environment. `live` serves users now; a failed rollout goes back to `last_good`;
    `previous` was good before that, and is where a rollback goes that someone asks for. `releases`: the last ten that
    passed everything, newest first; a rollback goes to no other version.

    incident: since when, and why, revalidations find it BAD; None while all is well. expires_at: when the sweeper
    cleans it up, with the options in `at_expiry`; None for one that stays.
    """

    name: str
    status: str = "NEW"
    lock: Lock | None = None
    live: Release | None = None
    last_good: Release | None = None
    previous: Release | None = None
    releases: tuple[Release, ...] = ()
    applied: Mapping[str, Applied] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    last_deployment: str | None = None
    last_revalidation: Mapping[str, str] | None = None
    incident: Mapping[str, str] | None = None
    expires_at: str | None = None
    at_expiry: Evidence = field(default_factory=dict)
    updated_at: str | None = None

    @property
    def good(self) -> tuple[Release, ...]:
        """Every release on record that users were well served by, each version once."""
        named = (self.live, self.last_good, self.previous)
        found = {one.version: one for one in (*self.releases, *named) if one}
        return tuple(found.values())

    @property
    def is_known(self) -> bool:
        """Whether anything was ever asked of it."""
        return self.status != "NEW" or self.last_deployment is not None or self.live is not None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One POST: what was asked, by whom, and how it stands.

    waiting: it stands in the environment's line and holds no lock. resumes: the failed deployment that it goes on
    with. approval: the task token to answer, until when; never shown.
    """

    id: str
    environment: str
    action: Action
    status: DeploymentStatus
    config: Config
    options: Options
    created_at: str
    caller: str = ""
    execution_arn: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    current_phase: str | None = None
    summary: str = ""
    error: Mapping[str, str] | None = None
    abort_requested: bool = False
    waiting: bool = False
    resumes: str = ""
    approval: Evidence = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
