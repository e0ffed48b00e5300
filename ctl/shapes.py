"""The API's answers as the client reads them. They are JSON: TypedDicts name the fields and cost nothing at run time.

The control plane may be newer or older than the client, so that only what identifies a thing is required.
"""

from typing import Any, Literal, Required, TypedDict


class Error(TypedDict, total=False):
    """Why something failed or was refused. holder: the deployment that keeps the environment busy."""

    code: str
    message: str
    field: str
    remedy: str
    holder: str


class Row(TypedDict, total=False):
    """One phase (number from 1) or step (number 0) of a deployment. Times are ISO 8601, durations seconds."""

    number: Required[int]
    name: Required[str]
    status: Required[str]
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    summary: str
    evidence: dict[str, Any]  # each phase has its own
    error: Error | None  # null while, and when, nothing failed


class Load(TypedDict, total=False):
    """A running load test: requests since its start, percentiles (ms) of the last three seconds."""

    second: Required[int]
    sent: int
    good: int
    failed: int
    unsent: int
    p50_ms: float | None
    p99_ms: float | None


class Approval(TypedDict, total=False):
    """What a deployment waits for, and who gave it. until: ISO 8601; it is aborted then. by, at: once it is given."""

    until: str
    by: str
    at: str


class Options(TypedDict, total=False):
    """What this client reads of the options that a deployment was started with."""

    reason: str
    slo: dict[str, Any]
    load: dict[str, Any]
    bake: dict[str, Any]


class CostLine(TypedDict):
    """`amount` units for `usd`. basis: measured, derived or estimated."""

    what: str
    amount: float
    unit: str
    usd: float
    basis: str


class Bill(TypedDict, total=False):
    """What a rollout cost. usd: None where nothing is on record, which `recorded` says."""

    recorded: Required[str]
    usd: float | None
    region: str
    prices_of: str
    lines: list[CostLine]
    by_phase: dict[str, float]
    remarks: list[str]


class Deployment(TypedDict, total=False):
    """GET /deployments/{id}; a list leaves `phases` and `steps` out."""

    id: Required[str]
    environment: Required[str]
    status: Required[str]
    action: str
    percent: int
    current_phase: str
    created_at: str
    started_at: str
    ended_at: str
    duration_s: float
    summary: str
    caller: str
    resumes: str
    execution_arn: str
    error: Error
    approval: Approval
    options: Options
    links: dict[str, str]
    config: dict[str, Any]
    load: Load | None
    cost: Bill
    phases: list[Row]
    steps: list[Row]


class Release(TypedDict, total=False):
    """A version that is or was live, and the deployment that released it."""

    version: str
    deployment_id: str
    at: str
    artifact: str
    config: dict[str, Any]


class Lock(TypedDict, total=False):
    """Which deployment an environment is locked by."""

    deployment_id: str


class Incident(TypedDict, total=False):
    """What is wrong with an environment, and since when."""

    opened_at: str
    why: str


class Revalidation(TypedDict, total=False):
    """The last check of what is live."""

    verdict: str
    at: str
    why: str
    deployment_id: str


class Dora(TypedDict, total=False):
    """DORA figures of the last `days` days; None where nothing was there to measure."""

    days: Required[int]
    changes: Required[int]
    deployments_per_day: Required[float]
    lead_time_s: float | None
    change_failure_rate: float | None
    time_to_restore_s: float | None


class DriftRow(TypedDict, total=False):
    """One difference between an environment and its record. healed: whether the check put it back."""

    where: str
    expected: str
    found: str
    healed: bool
    remedy: str


class Entry(TypedDict, total=False):
    """One line of an environment's history. drift: what a revalidation found."""

    at: str
    action: str
    outcome: str
    deployment_id: str
    summary: str
    why: str
    drift: list[DriftRow]


class PastIncident(TypedDict, total=False):
    """GET …/incidents/{id}; a list leaves `history` out. closed_at: None while it is open."""

    opened_at: str
    opened_by: Required[str]
    why: str
    drift: list[DriftRow]
    closed_at: str | None
    closed_by: str | None
    how: str
    history: list[Entry]


class Environment(TypedDict, total=False):
    """GET /environments/{name}; a list leaves `history`, `dora` and `links` out. account, region: of its target, null
    for the control plane's own."""

    name: Required[str]
    status: str
    account: str | None
    region: str | None
    live: Release | None
    last_good: Release | None
    previous: Release | None
    lock: Lock | None
    incident: Incident | None
    expires_at: str | None
    last_revalidation: Revalidation | None
    dora: Dora
    links: dict[str, str]
    history: list[Entry]


Verdict = Literal["good", "healed", "drifted", "failed", "busy", "lost"]


class Night(TypedDict, total=False):
    """One nightly revalidation: how many environments got each verdict, and deployments by environment by verdict."""

    began_at: str
    good: int
    healed: int
    drifted: int
    failed: int
    busy: int
    lost: int
    which: dict[str, dict[str, str | None]]
    error: str


class StoredSecret(TypedDict, total=False):
    """What PUT and PATCH of a secret answer; no value of it."""

    environment: str
    secret_arn: str
    version_id: str
    state: str
    users_have_it_within_s: int
    models: list[str]
    client_keys: list[str]
    changed: list[str]
    warning: str
    deployment: str | None


class SecretView(TypedDict, total=False):
    """GET …/secret: names and fingerprints, no value. fields: by name, 12 hex digits of the value's SHA-256."""

    environment: str
    secret_arn: str
    version_id: str | None
    pending_version_id: str | None
    adopted: bool
    stored_at: str
    scheduled_for_deletion: bool
    fields: dict[str, str]
    models: list[str]
    client_keys: list[str]
    problem: str


class SecretVersion(TypedDict, total=False):
    """One version of a secret, and the deployments that released it."""

    version_id: Required[str]
    stored_at: str | None
    current: bool
    pending: bool
    deployments: list[str]


class Costs(TypedDict):
    """GET /environments/{name}/costs: sums of the months and of the requests with their lines."""

    environment: str
    region: str
    prices_of: str
    remarks: list[str]
    at_rest: dict[str, Any]
    control_plane: dict[str, Any]
    requests: dict[str, Any]
    rollouts: dict[str, Any]
    last_rollout: dict[str, Any] | None


class Health(TypedDict, total=False):
    """GET /health."""

    status: str
    account: str
    region: str
    environments: int
    bundle: str
