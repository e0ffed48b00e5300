"""The values of the domain: actions, states and records. Times are ISO 8601, UTC.

A field `extra` holds the fields of another version of the control plane (`codec.decode_record`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .aws.targets import Target
from .aws.usage import Usage
from .config import Config
from .fleets.promotions import Promotion
from .options import Options
from .records import Action as Action
from .records import DeploymentStatus as DeploymentStatus
from .records import PhaseStatus as PhaseStatus

Evidence = Mapping[str, Any]

LEASE_S = 20 * 60  # longer than any Lambda may run, so that a living holder can always renew in time


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """One phase (number 1-12) or one step beside them (number 0) of one deployment.

    polls: calls so far. waits_for, waits: the step that it waits for, and the calls in succession that did so.
    usage: of its calls that ended, without the record of the last one's end; None in records of earlier versions.
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
    usage: Usage | None = None
    extra: Evidence = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applied:
    """The last successful run of a phase in an environment: the fingerprint of its inputs, and its evidence."""

    fingerprint: str = ""
    deployment_id: str = ""
    at: str = ""
    evidence: Evidence = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """A release that serves users or did so: a function version, the configuration and the secret version that it ran
    with.

    secret_version: ID in Secrets Manager; "" for a release of an older control plane, or with an adopted secret.
    config: as recorded (JSON), possibly by another version of the control plane: `decode_lenient(Config, …)` reads it.
    bundle: key of the bundle that holds its template; snapshot: logical id of its API deployment; parameters: of the
    stack with this release. Empty in records of earlier versions.
    """

    version: str = ""
    deployment_id: str = ""
    at: str = ""
    artifact: str = ""
    config: Evidence = field(default_factory=dict)
    secret_version: str = ""
    bundle: str = ""
    snapshot: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    extra: Evidence = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, str]:
        """Function version and secret version: releases that differ in neither are the same for users."""
        return self.version, self.secret_version


@dataclass(frozen=True, slots=True)
class Lock:
    """Who may change an environment. Past `lease_until` (epoch seconds), others may ask whether the holder lives."""

    deployment_id: str = ""
    execution_arn: str = ""
    lease_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Environment:
    """The record of an environment. `live` serves users now; a failed rollout goes back to `last_good`; `previous` was
    good before that, and is the target of action rollback. `releases`: the last ten that passed every check, newest
    first; a rollback goes to no other version.

    recovered_from: the newest deployment when the record, which someone had deleted, was rebuilt from those of the
    deployments; None otherwise. incident: since when, and why, revalidations fail; None when the last one passed.
    expires_at: when the sweeper cleans it up, with the options in `at_expiry`; None for an environment without a time
    limit. target: where it is; None for the control plane's own account and region.
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
    recovered_from: str | None = None
    target: Target | None = None

    @property
    def good(self) -> tuple[Release, ...]:
        """Every release on record that passed all checks, each once, newest first."""
        named = (self.live, self.last_good, self.previous)
        by_identity = {release.identity: release for release in (*self.releases, *named) if release}
        return tuple(by_identity.values())

    @property
    def reads_its_own_secret(self) -> bool:
        """Whether the live release reads the environment's own secret, and none that it has adopted."""
        return self.live is not None and not self.live.config.get("secret_arn")

    @property
    def has_resources(self) -> bool:
        """Whether there may be resources of it in AWS. A first deploy that failed before any phase was applied, at a
        target that does not exist for instance, has made none."""
        is_empty = self.status == "NEVER_LIVE" and not self.applied and self.recovered_from is None
        return self.lock is not None or not (is_empty or self.status in ("NEW", "REMOVED"))

    @property
    def is_known(self) -> bool:
        """Whether it has ever had a deployment."""
        return self.status != "NEW" or self.last_deployment is not None or self.live is not None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One POST /deployments: the request, the caller and the state.

    waiting: it waits in the environment's queue and holds no lock. resumes: ID of the failed deployment that it
    continues. approval: the task token to answer and its deadline; the token is never shown.
    unknown_config: fields of `config` of another version of the control plane, which stay on record.
    patch: `config` as requested, None in records of earlier versions; replaces: whether it replaces the environment's.
    A deployment that leaves the queue is merged again, since the one before it may have changed the configuration.
    promotion: the release that action promote rolls, None for any other action. bundle: key of the bundle that its
    fleet began with, "" for what the control plane holds.
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
    unknown_config: Evidence = field(default_factory=dict)
    patch: Evidence | None = None
    replaces: bool = False
    promotion: Promotion | None = None
    bundle: str = ""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A deployment at its end, as its report and handoff describe it.

    deployment: with its caller, reason (`options.reason`) and `approval`; its own status is the one before the end.

    environment: before the end. phases: of this deployment, in the order in which they began. status, summary, error
    (`{code, message, field?, remedy?}`, None for a success): how it ended. users: after a failure, the version that
    users are on and whether it answers; "" where that was not asked. at: when it ended, ISO 8601.
    """

    deployment: Deployment
    environment: Environment
    phases: tuple[PhaseRecord, ...]
    status: DeploymentStatus
    summary: str
    error: Mapping[str, str] | None
    users: str
    at: str

    @property
    def approver(self) -> str:
        """ARN of who approved the deployment; "" when nobody had to."""
        return str(self.deployment.approval.get("by", ""))


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `cursor` asks for the next page, None at the end."""

    deployments: Sequence[Deployment]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class EnvironmentPage:
    """Sorted by name; `cursor` asks for the next page, None at the end."""

    environments: Sequence[Environment]
    cursor: str | None
