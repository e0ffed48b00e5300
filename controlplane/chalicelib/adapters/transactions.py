"""The transactions of a deployment's life, each of which happens as a whole or not at all.

It starts with its record, the lock and the idempotency claim, or stands in its environment's line until its turn comes;
it ends with its outcome, the event that tells of it, what the environment is now, a line of history and no lock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.errors import Conflict
from chalicelib.domain.model import Deployment, DeploymentStatus, Lock, PhaseRecord, PhaseStatus
from chalicelib.domain.records import Claim, Ending

from . import expiry, items, listing, locks
from .keys import claim_key, deployment_key, environment_key, key_of, line_key

_CLAIM_DAYS = 90  # as long as Step Functions remembers the name of a closed execution


def start(
    table: str, deployment: Deployment, lock: Lock, claim: Claim | None, takes_over: Lock | None
) -> list[dict[str, Any]]:
    """The items of TransactWriteItems: all of them, or none."""
    writes = [*_first_writes(table, deployment), *_lock_writes(table, deployment, lock, takes_over)]
    if claim:
        writes.append(claim_write(table, claim, deployment.id, deployment.created_at))
    return writes


def enqueue(table: str, deployment: Deployment, claim: Claim | None) -> list[dict[str, Any]]:
    """A deployment that stands in line: no lock yet."""
    place = line_key(deployment) | items.write({"deployment_id": deployment.id})
    writes = [*_first_writes(table, deployment), {"Put": {"TableName": table, "Item": place}}]
    return writes + ([claim_write(table, claim, deployment.id, deployment.created_at)] if claim else [])


def take_turn(table: str, deployment: Deployment, lock: Lock) -> list[dict[str, Any]]:
    """From the line to the lock: only while nobody holds the environment, and while it still waits."""
    config = items.of_deployment(deployment)["config"]
    return [
        *_lock_writes(table, deployment, lock, None),
        *leave_line(table, deployment, {"waiting": False, "summary": None, "config": config}),
    ]


def leave_line(table: str, deployment: Deployment, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Out of the line, with these changes to its record, only while it still waits."""
    expression, names, values = items.update_of(changes)
    waits = {
        "TableName": table,
        "Key": deployment_key(deployment.id),
        "UpdateExpression": expression,
        "ConditionExpression": "waiting = :waits",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values | items.write({":waits": True}),
    }
    gone = {"Delete": {"TableName": table, "Key": line_key(deployment)}}
    return [{"Update": waits}, gone, *listing.status(table, deployment.id, changes)]


FINALS = {f":final{number}": status.value for number, status in enumerate(s for s in DeploymentStatus if s.is_final)}
_DONE = {f":done{number}": status.value for number, status in enumerate(s for s in PhaseStatus if s.is_done)}
NOT_FINAL = f"attribute_exists(pk) AND NOT #status IN ({', '.join(FINALS)})"


def end(table: str, deployment: Deployment, ending: Ending, *, keeps_lock: bool) -> list[dict[str, Any]]:
    """The items of TransactWriteItems; the deployment's own comes first, its environment's second."""
    writes = [_outcome_write(table, deployment, ending), *listing.status(table, deployment.id, ending.deployment)]
    if not keeps_lock:
        name, until = deployment.environment, _end_of_environment(ending)
        writes.append(_release_write(table, deployment, ending, until))
        writes.append(locks.release(table, name, deployment.id, ending.execution_arn, until))
        if until:
            writes.append(listing.environment_expires(table, name, until))
        entry = items.write({"at": ending.at, **ending.history, **expiry.after(ending.at)})
        line = key_of(f"ENVIRONMENT#{deployment.environment}", f"HISTORY#{ending.at}") | entry
        writes.append({"Put": {"TableName": table, "Item": line}})
    kind = f"deployment.{str(ending.deployment['status']).lower()}"
    event = items.write({"at": ending.at, "kind": kind, "detail": {}, **expiry.after(ending.at)})
    writes.append(
        {"Put": {"TableName": table, "Item": deployment_key(deployment.id, f"EVENT#{ending.at}#{kind}") | event}}
    )
    return writes


def _outcome_write(table: str, deployment: Deployment, ending: Ending) -> dict[str, Any]:
    expression, names, values = items.update_of(ending.deployment)
    condition = NOT_FINAL
    if ending.unless_aborted:
        condition += " AND NOT abort_requested = :asked"
        values |= items.write({":asked": True})
    return {
        "Update": {
            "TableName": table,
            "Key": deployment_key(deployment.id),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names | {"#status": "status"},
            "ExpressionAttributeValues": values | items.write(FINALS),
        }
    }


def _release_write(table: str, deployment: Deployment, ending: Ending, until: int | None) -> dict[str, Any]:
    forgotten = dict.fromkeys((f"applied_{phase}" for phase in ending.forgets), None)
    changes = {**ending.environment, **forgotten, "lock": None, "expires": until}
    expression, names, values = items.update_of(changes)
    return {
        "Update": {
            "TableName": table,
            "Key": environment_key(deployment.environment),
            "UpdateExpression": expression,
            "ConditionExpression": "#held.deployment_id = :holder",
            "ExpressionAttributeNames": names | {"#held": "lock"},
            "ExpressionAttributeValues": values | items.write({":holder": deployment.id}),
        }
    }


def _end_of_environment(ending: Ending) -> int | None:
    """When the record of an environment that was removed goes, too, in epoch seconds; a deployment before then keeps
    it. None while it lives."""
    return expiry.after(ending.at).get("expires") if ending.environment.get("status") == "REMOVED" else None


def phase(table: str, name: str, lock: Lock, record: PhaseRecord) -> list[dict[str, Any]]:
    """The lease of the lock under which a phase's record is written, and that record, unless the phase is done."""
    written = {
        "TableName": table,
        "Item": deployment_key(lock.deployment_id, phase_sk(record)) | items.write(phase_item(record)),
        "ConditionExpression": f"attribute_not_exists(pk) OR NOT #status IN ({', '.join(_DONE)})",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": items.write(_DONE),
    }
    return [locks.renewal(table, name, lock), {"Put": written}]


def phase_item(record: PhaseRecord) -> dict[str, object]:
    """The attributes of a phase's item. It expires with its deployment, within the time that this took."""
    return items.of_phase(record) | (expiry.after(record.started_at) if record.started_at else {})


def skipped(table: str, name: str, lock: Lock, records: Sequence[PhaseRecord]) -> list[dict[str, Any]]:
    """The records of phases that were skipped together, each with its event; the lock's renewal comes first."""
    writes = [locks.renewal(table, name, lock)]
    for record in records:
        at, kind = str(record.ended_at), f"{record.name}.{record.status.value.lower()}"
        event = items.write({"at": at, "kind": kind, "detail": {"summary": record.summary}, **expiry.after(at)})
        entries = {phase_sk(record): items.write(phase_item(record)), f"EVENT#{at}#{kind}": event}
        for sort_key, item in entries.items():
            key = deployment_key(lock.deployment_id, sort_key)
            writes.append({"Put": {"TableName": table, "Item": key | item}})
    return writes


def phase_sk(record: PhaseRecord) -> str:
    return f"PHASE#{record.number:02}#{record.name}"


def update(table: str, deployment_id: str, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Changes to a deployment that is not final yet; the deployment's own write comes first."""
    expression, names, values = items.update_of(changes)
    record = {
        "TableName": table,
        "Key": deployment_key(deployment_id),
        "UpdateExpression": expression,
        "ConditionExpression": NOT_FINAL,
        "ExpressionAttributeNames": names | {"#status": "status"},
        "ExpressionAttributeValues": values | items.write(FINALS),
    }
    return [{"Update": record}, *listing.status(table, deployment_id, changes)]


def release(table: str, name: str, holder: str) -> list[dict[str, Any]]:
    """An environment that this deployment holds becomes free."""
    record = {
        "TableName": table,
        "Key": environment_key(name),
        "UpdateExpression": "REMOVE #lock",
        "ConditionExpression": "#lock.deployment_id = :holder",
        "ExpressionAttributeNames": {"#lock": "lock"},
        "ExpressionAttributeValues": items.write({":holder": holder}),
    }
    return [{"Update": record}, locks.release(table, name, holder)]


def _first_writes(table: str, deployment: Deployment) -> list[dict[str, Any]]:
    record_of = items.of_deployment(deployment) | expiry.after(deployment.created_at)
    item = deployment_key(deployment.id) | items.write(record_of)
    record = {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    return [record, listing.of_deployment(table, deployment)]


def _lock_writes(table: str, deployment: Deployment, lock: Lock, takes_over: Lock | None) -> list[dict[str, Any]]:
    arguments: dict[str, Any] = {
        "lock": items.of_lock(lock),
        "last_deployment": deployment.id,
        "target": dataclasses.asdict(deployment.config.target) if deployment.config.target else None,
        # Records of versions before this one are in the index themselves.
        "listed_all": None,
        "at": None,
        "expires": None,  # of an environment that was removed
    }
    if not deployment.waiting:  # one from the line was created long ago: that is not when the environment changed
        arguments["updated_at"] = deployment.created_at
    expression, names, values = items.update_of(arguments)
    condition = "attribute_not_exists(#lock)"
    if takes_over:
        condition += " OR #lock.deployment_id = :dead"
        values |= items.write({":dead": takes_over.deployment_id})
    record = {
        "TableName": table,
        "Key": environment_key(deployment.environment),
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names | {"#lock": "lock"},
        "ExpressionAttributeValues": values,
    }
    name = deployment.environment
    return [{"Update": record}, locks.taking(table, name, lock), listing.of_environment(table, name)]


def key_used(claimed: Mapping[str, Any]) -> Conflict:
    """The refusal of a key that stands for another request. claimed: the item that `claim_write` wrote."""
    return Conflict(
        "this Idempotency-Key was used before",
        code="IdempotencyKeyUsed",
        claimed_by=str(claimed["deployment_id"]),
        body_sha256=str(claimed["body_sha256"]),
    )


def claim_write(table: str, claim: Claim, subject: str, at: str) -> dict[str, Any]:
    """A claim by a deployment, or by what else `subject` names; at: ISO 8601."""
    item = claim_key(claim) | items.write(
        {
            "deployment_id": subject,
            "body_sha256": claim.body_sha256,
            "expires": items.epoch(at) + _CLAIM_DAYS * 86_400,
        }
    )
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
