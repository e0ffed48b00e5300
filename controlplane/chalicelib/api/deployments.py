"""`/deployments`: start one, list them, show one with its phases, report and handoff."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from .. import phases
from ..codec import decode
from ..core.config import Config, Options
from ..core.model import Action, Deployment, DeploymentStatus, Environment, Lock
from ..core.naming import Names
from ..core.view import as_shown, with_phases
from ..errors import BadRequest, Conflict, NotFound
from ..ports import Aws
from ..ports.records import Claim
from ..runner import LEASE_S, stamp
from .answers import Answer, Call, Clock

_PAGE = 20
_PAGE_LIMIT = 100
_CLOSED = frozenset({None, "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
# An execution is started right after its record: one without an execution is only young, or its starter died.
_STARTING_S = 60


@dataclass(frozen=True, slots=True)
class Start:
    """The body of POST /deployments."""

    environment: str
    action: Action = Action.DEPLOY
    config: Config = field(default_factory=Config)
    options: Options = field(default_factory=Options)


def start(call: Call, aws: Aws, clock: Clock) -> Answer:
    """202 with id and Location. The same Idempotency-Key and body give the same deployment again."""
    given = call.json()
    key = call.headers.get("idempotency-key")
    deployment = begin(given, aws, clock, caller=call.caller, key=key)
    told = as_shown(deployment)
    headers = {"Content-Type": "application/json", "Location": f"deployments/{deployment.id}"}
    return Answer(202, told, headers)


def begin(given: dict[str, Any], aws: Aws, clock: Clock, *, caller: str, key: str | None) -> Deployment:
    """Record, lock and start; shared by the API and the nightly run."""
    asked = decode(Start, given)
    Names(asked.environment)
    claim = _claim(key, caller, given)
    now = clock()
    deployment = Deployment(
        id=_id(claim),
        environment=asked.environment,
        action=asked.action,
        status=DeploymentStatus.PENDING,
        config=_config(asked, given, aws),
        options=asked.options,
        created_at=stamp(now),
        caller=caller,
    )
    lock = Lock(deployment.id, "", now.timestamp() + LEASE_S)
    environment = aws.records.environment(asked.environment)
    try:
        aws.records.start(deployment, lock, claim, _dead_lock(environment, aws, now.timestamp()))
    except Conflict as refused:
        deployment = _same_again(refused, claim, aws)
    # A second start under the same name is the first one: this heals a starter that died after its record.
    arn = aws.executions.start(deployment.id, _input(deployment))
    return dataclasses.replace(deployment, execution_arn=arn)


def _input(deployment: Deployment) -> dict[str, str]:
    return {
        "deployment_id": deployment.id,
        "environment": deployment.environment,
        "action": deployment.action.value,
    }


def _id(claim: Claim | None) -> str:
    """Made from the key where there is one, so that the execution's name is the same however often it is sent."""
    unique = claim.key if claim else uuid.uuid4().hex
    return "d-" + hashlib.sha256(unique.encode()).hexdigest()[:20]


def _claim(key: str | None, caller: str, given: dict[str, Any]) -> Claim | None:
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise BadRequest(
            "Idempotency-Key must be 1 to 255 printable characters",
            field="Idempotency-Key",
            remedy="Use a UUID.",
        )
    canonical = json.dumps(given, sort_keys=True, separators=(",", ":"))
    return Claim(f"{caller}#{key}", hashlib.sha256(canonical.encode()).hexdigest())


def _config(asked: Start, given: dict[str, Any], aws: Aws) -> Config:
    """What was asked; where a deploy or a check says nothing, what the environment runs with."""
    if "config" in given:
        return asked.config
    good = aws.records.environment(asked.environment).last_good
    return decode(Config, dict(good.config)) if good and good.config else asked.config


def _dead_lock(environment: Environment, aws: Aws, now: float) -> Lock | None:
    """The environment's lock if its holder is dead: its execution has ended, or never came to be."""
    lock = environment.lock
    if lock is None:
        return None
    arn = lock.execution_arn or _execution_of(lock, aws)
    if arn:
        return lock if aws.executions.status(arn) in _CLOSED else None
    born = lock.lease_until - LEASE_S
    return lock if now - born > _STARTING_S else None


def _execution_of(lock: Lock, aws: Aws) -> str:
    try:
        return aws.records.deployment(lock.deployment_id).execution_arn
    except NotFound:
        return ""


def _same_again(refused: Conflict, claim: Claim | None, aws: Aws) -> Deployment:
    """The deployment that the key stands for; or the refusal, in words that help."""
    claimed_by = refused.evidence.get("claimed_by")
    if claimed_by is None or claim is None:
        raise refused
    if refused.evidence.get("body_sha256") != claim.body_sha256:
        raise Conflict(
            f"this Idempotency-Key was used for deployment {claimed_by} with another body",
            code="IdempotencyKeyReused",
            field="Idempotency-Key",
            remedy="Send a new key with a new request.",
            evidence={"deployment": claimed_by},
        )
    return aws.records.deployment(claimed_by)


def index(call: Call, aws: Aws, clock: Clock) -> Answer:
    """Newest first: `?environment=`, `?status=`, `?limit=` (1 to 100), `?cursor=`."""
    known = {"environment", "status", "limit", "cursor"}
    for name in call.query:
        if name not in known:
            raise BadRequest(f"unknown query parameter {name}", field=name, remedy=f"Known: {sorted(known)}.")
    page = aws.records.deployments(call.query.get("environment"), _status(call), _limit(call), call.query.get("cursor"))
    return Answer(200, {"deployments": [as_shown(item) for item in page.deployments], "cursor": page.cursor})


def _status(call: Call) -> DeploymentStatus | None:
    given = call.query.get("status")
    if given is None:
        return None
    try:
        return DeploymentStatus(given)
    except ValueError as error:
        states = ", ".join(DeploymentStatus)
        raise BadRequest(f"status {given!r} is not a state", field="status", remedy=f"One of {states}.") from error


def _limit(call: Call) -> int:
    given = call.query.get("limit", str(_PAGE))
    if not given.isdecimal() or not 1 <= int(given) <= _PAGE_LIMIT:
        raise BadRequest(f"limit {given!r} is not from 1 to {_PAGE_LIMIT}", field="limit", remedy="Leave it out.")
    return int(given)


def show(call: Call, aws: Aws, clock: Clock) -> Answer:
    """Status, percent, current phase, and every phase with times, summary, evidence and error."""
    deployment = aws.records.deployment(call.path["id"])
    recorded = aws.records.phases(deployment.id)
    return Answer(200, with_phases(deployment, recorded, phases.NAMES))


def report(call: Call, aws: Aws, clock: Clock) -> Answer:
    return _document(call, aws, "report.html", "text/html; charset=utf-8")


def handoff(call: Call, aws: Aws, clock: Clock) -> Answer:
    return _document(call, aws, "handoff.md", "text/markdown; charset=utf-8")


def _document(call: Call, aws: Aws, name: str, content_type: str) -> Answer:
    deployment = aws.records.deployment(call.path["id"])
    written = {phase.name: phase for phase in aws.records.phases(deployment.id)}.get("write_handoff")
    key = written.evidence.get(name) if written else None
    if not key:
        raise NotFound(
            f"deployment {deployment.id} has no {name}: phase write_handoff did not end",
            field="id",
            remedy="GET /deployments/{id} tells how far it came.",
        )
    return Answer(200, aws.artifacts.get(str(key)).decode(), {"Content-Type": content_type})
