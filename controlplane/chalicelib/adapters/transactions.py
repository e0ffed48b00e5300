"""Keys of the table, and the transactions of a deployment's life, each of which happens as a whole or not at all.

It starts with its record, the lock and the idempotency claim, or stands in its environment's line until its turn comes;
it ends with its outcome, the event that tells of it, what the environment is now, a line of history and no lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.model import Deployment, DeploymentStatus, Lock, PhaseRecord
from chalicelib.domain.records import Claim, Ending

from . import items

_CLAIM_DAYS = 90  # as long as Step Functions remembers the name of a closed execution


def key_of(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def deployment_key(deployment_id: str, sk: str = "META") -> dict[str, Any]:
    return key_of(f"DEPLOYMENT#{deployment_id}", sk)


def environment_key(name: str, sk: str = "META") -> dict[str, Any]:
    return key_of(f"ENVIRONMENT#{name}", sk)


def line_key(deployment: Deployment) -> dict[str, Any]:
    """A place in the environment's line: first come, first served."""
    return environment_key(deployment.environment, f"LINE#{deployment.created_at}#{deployment.id}")


def claim_key(claim: Claim) -> dict[str, Any]:
    return key_of(f"CLAIM#{claim.key}", "META")


def start(
    table: str, deployment: Deployment, lock: Lock, claim: Claim | None, takes_over: Lock | None
) -> list[dict[str, Any]]:
    """The items of TransactWriteItems: all of them, or none."""
    writes = [_first_write(table, deployment), _lock_write(table, deployment, lock, takes_over)]
    if claim:
        writes.append(claim_write(table, claim, deployment.id, deployment.created_at))
    return writes


def enqueue(table: str, deployment: Deployment, claim: Claim | None) -> list[dict[str, Any]]:
    """A deployment that stands in line: no lock yet."""
    place = line_key(deployment) | items.write({"deployment_id": deployment.id})
    writes = [_first_write(table, deployment), {"Put": {"TableName": table, "Item": place}}]
    return writes + ([claim_write(table, claim, deployment.id, deployment.created_at)] if claim else [])


def take_turn(table: str, deployment: Deployment, lock: Lock) -> list[dict[str, Any]]:
    """From the line to the lock: only while nobody holds the environment, and while it still waits."""
    config = items.of_deployment(deployment)["config"]
    return [
        _lock_write(table, deployment, lock, None),
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
    return [{"Update": waits}, {"Delete": {"TableName": table, "Key": line_key(deployment)}}]


FINALS = {f":final{number}": status.value for number, status in enumerate(s for s in DeploymentStatus if s.is_final)}
NOT_FINAL = f"attribute_exists(pk) AND NOT #status IN ({', '.join(FINALS)})"


def end(table: str, deployment: Deployment, ending: Ending, *, keeps_lock: bool) -> list[dict[str, Any]]:
    """The items of TransactWriteItems; the deployment's own comes first, its environment's second."""
    writes = [_outcome_write(table, deployment, ending)]
    if not keeps_lock:
        writes.append(_release_write(table, deployment, ending))
        entry = items.write({"at": ending.at, **ending.history})
        line = key_of(f"ENVIRONMENT#{deployment.environment}", f"HISTORY#{ending.at}") | entry
        writes.append({"Put": {"TableName": table, "Item": line}})
    kind = f"deployment.{str(ending.deployment['status']).lower()}"
    event = items.write({"at": ending.at, "kind": kind, "detail": {}})
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


def _release_write(table: str, deployment: Deployment, ending: Ending) -> dict[str, Any]:
    forgotten = dict.fromkeys((f"applied_{phase}" for phase in ending.forgets), None)
    expression, names, values = items.update_of({**ending.environment, **forgotten, "lock": None})
    return {
        "Update": {
            "TableName": table,
            "Key": environment_key(deployment.environment),
            "UpdateExpression": expression,
            "ConditionExpression": "#held.deployment_id = :holder AND #held.execution_arn = :execution",
            "ExpressionAttributeNames": names | {"#held": "lock"},
            "ExpressionAttributeValues": values
            | items.write({":holder": deployment.id, ":execution": ending.execution_arn}),
        }
    }


def phase(table: str, name: str, lock: Lock, record: PhaseRecord) -> list[dict[str, Any]]:
    """A phase's record, and the lease of the lock under which it is written."""
    key = deployment_key(lock.deployment_id, phase_sk(record))
    return [
        {"Update": {"TableName": table, "Key": environment_key(name), **renewal(lock, takes_over=False)}},
        {"Put": {"TableName": table, "Item": key | items.write(items.of_phase(record))}},
    ]


def phase_sk(record: PhaseRecord) -> str:
    return f"PHASE#{record.number:02}#{record.name}"


def renewal(lock: Lock, *, takes_over: bool) -> dict[str, Any]:
    """The parts of an update that extends the lease of the lock's deployment, if that holds the environment: by the
    same execution, or by none on record. With `takes_over`, by any execution of it."""
    condition = "#lock.deployment_id = :holder"
    values = {":holder": lock.deployment_id, ":execution": lock.execution_arn, ":until": lock.lease_until}
    if not takes_over:
        condition += " AND #lock.execution_arn IN (:execution, :none)"
        values |= {":none": ""}
    return {
        # Only these two attributes of the lock, so that those of a newer control plane stay.
        "UpdateExpression": "SET #lock.execution_arn = :execution, #lock.lease_until = :until",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#lock": "lock"},
        "ExpressionAttributeValues": items.write(values),
    }


def _first_write(table: str, deployment: Deployment) -> dict[str, Any]:
    item = deployment_key(deployment.id) | items.write(items.of_deployment(deployment))
    # Two index entries a deployment: an index key holds one value, and lists are asked for in two ways.
    item |= {
        "listed": {"S": f"ENVIRONMENT#{deployment.environment}"},
        "listed_all": {"S": "ALL"},
        "at": {"S": f"{deployment.created_at}#{deployment.id}"},
    }
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def _lock_write(table: str, deployment: Deployment, lock: Lock, takes_over: Lock | None) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "lock": items.of_lock(lock),
        "last_deployment": deployment.id,
        "listed_all": "ENVIRONMENTS",
        "at": deployment.environment,
    }
    if not deployment.waiting:  # one from the line was created long ago: that is not when the environment changed
        arguments["updated_at"] = deployment.created_at
    expression, names, values = items.update_of(arguments)
    condition = "attribute_not_exists(#lock)"
    if takes_over:
        condition += " OR #lock.deployment_id = :dead"
        values |= items.write({":dead": takes_over.deployment_id})
    return {
        "Update": {
            "TableName": table,
            "Key": environment_key(deployment.environment),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names | {"#lock": "lock"},
            "ExpressionAttributeValues": values,
        }
    }


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
