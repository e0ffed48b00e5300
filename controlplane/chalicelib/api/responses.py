"""The bodies of the API's answers. `openapi` derives their schemas from these types.

Times are ISO 8601 in UTC, durations seconds. A field that is None is left out of a deployment, and null elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Required, TypedDict

from chalicelib.costs.bill import Bill
from chalicelib.domain.config import Config
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.domain.model import Action, DeploymentStatus, Lock, PhaseStatus, Release
from chalicelib.domain.nights import NightSummary
from chalicelib.domain.options import Options
from chalicelib.domain.records import HistoryEntry, SecretState

from .dora import Dora


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetail:
    """holder: the deployment that holds the environment. deployment: the one that the Idempotency-Key stands for."""

    code: str
    message: str
    field: str | None = None
    remedy: str | None = None
    holder: str | None = None
    deployment: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorBody:
    error: ErrorDetail


class RecordedError(TypedDict, total=False):
    """Why a deployment or a phase failed. field: of the request; remedy: what to do."""

    code: Required[str]
    message: Required[str]
    field: str
    remedy: str


class ApprovalView(TypedDict, total=False):
    """until: while the deployment waits for an approval; by, at: who approved it, and when."""

    until: str
    by: str
    at: str


class IncidentView(TypedDict, total=False):
    """Since when, and why, revalidations of an environment fail."""

    opened_at: str
    opened_by: str
    why: str


class RevalidationView(TypedDict, total=False):
    """The last check of what is live. verdict: `GOOD` or `BAD`, with the reason."""

    verdict: str
    at: str
    why: str
    deployment_id: str


class ExpiryView(TypedDict, total=False):
    """The options with which the environment is cleaned up when its time is over."""

    remove_secret: bool
    secret_recovery_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentView:
    """A deployment without its phases. waiting: it waits behind another one. promotion: what action promote rolls.
    Lists leave `options.load.trace` out."""

    id: str
    environment: str
    action: Action
    status: DeploymentStatus
    config: Config
    options: Options
    created_at: str
    abort_requested: bool
    waiting: bool
    links: Mapping[str, str]
    caller: str | None = None
    execution_arn: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    current_phase: str | None = None
    summary: str | None = None
    error: RecordedError | None = None
    resumes: str | None = None
    approval: ApprovalView | None = None
    promotion: Promotion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """One phase (number 1 to 12) or one step beside them (number 0)."""

    number: int
    name: str
    status: PhaseStatus
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    summary: str
    evidence: Mapping[str, object]
    error: RecordedError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView:
    """A running load test. second: since its start; due, sent, good, failed, unsent: requests since then, all workers.

    p50_ms, p99_ms: of the last three seconds, None without an answer in them; with several workers the median of their
    medians and the highest of their p99.
    """

    second: int
    workers: int
    due: int
    sent: int
    good: int
    failed: int
    unsent: int
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentDetail(DeploymentView):
    """percent: share of the phases that have ended, 100 only for a deployment that succeeded.

    load: the figures of the load test while it runs. cost: so far, at list price.
    """

    percent: int
    cost: Bill
    load: LoadView | None = None
    phases: tuple[PhaseView, ...]
    steps: tuple[PhaseView, ...]


@dataclass(frozen=True, slots=True)
class DeploymentPage:
    """Newest first. cursor: what asks for the next page, null on the last."""

    deployments: tuple[DeploymentView, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class AppliedView:
    """The last successful run of a phase in an environment."""

    fingerprint: str
    deployment_id: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentView:
    """See `domain.model.Environment`. account, region: of its target, null for the control plane's own."""

    name: str
    status: str
    account: str | None
    region: str | None
    lock: Lock | None
    live: Release | None
    last_good: Release | None
    previous: Release | None
    releases: tuple[Release, ...]
    applied: Mapping[str, AppliedView]
    links: Mapping[str, str]
    last_deployment: str | None
    last_revalidation: RevalidationView | None
    incident: IncidentView | None
    expires_at: str | None
    at_expiry: ExpiryView
    updated_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDetail(EnvironmentView):
    """history: the last 20 entries, newest first; `/environments/{name}/history` has all."""

    history: tuple[HistoryEntry, ...]
    dora: Dora


@dataclass(frozen=True, slots=True)
class EnvironmentList:
    """Sorted by name. cursor: what asks for the next page, null on the last."""

    environments: tuple[EnvironmentView, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """What was stored, without any value of it. changed: names of the fields that differ from the version before.

    state: STORED while nobody is served yet, ROLLING while `deployment` checks it, LIVE. users_have_it_within_s:
    seconds from the promotion on until every process of the proxy reads it.
    """

    environment: str
    secret_arn: str
    version_id: str
    state: SecretState
    deployment: str | None = None
    users_have_it_within_s: int | None = None
    models: tuple[str, ...]
    client_keys: tuple[str, ...]
    changed: tuple[str, ...]
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretView:
    """What may be shown of a secret. fields: the first 12 hex digits of the SHA-256 of each value, by field.

    problem: why the proxy cannot read the current version. An adopted secret is only named.
    """

    environment: str
    secret_arn: str
    adopted: bool = False
    version_id: str | None = None
    pending_version_id: str | None = None
    stored_at: str | None = None
    scheduled_for_deletion: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    client_keys: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SecretVersionView:
    """One version of a secret. deployments: those whose releases ran with it, newest first."""

    version_id: str
    stored_at: str | None
    current: bool
    pending: bool
    deployments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecretHistory:
    """Newest first."""

    environment: str
    secret_arn: str
    versions: tuple[SecretVersionView, ...]


@dataclass(frozen=True, slots=True)
class NightList:
    """Newest first. cursor: what asks for the next page, null on the last."""

    nights: tuple[NightSummary, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """environments: how many are on record. bundle: S3 key of the proxy's sources that a deployment rolls. version,
    release: of the control plane; table_format: that this version writes."""

    status: str
    account: str
    region: str
    environments: int
    bundle: str
    version: str = ""
    release: str = ""
    table_format: int = 1
