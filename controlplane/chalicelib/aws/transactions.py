"""Keys of the table, and the transactions that start a deployment, put it in its environment's line or take it out: its
record, the lock, the idempotency claim and its place in the line change together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.model import Deployment, Lock
from ..ports.records import Claim
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
        writes.append(_claim_write(table, deployment, claim))
    return writes


def enqueue(table: str, deployment: Deployment, claim: Claim | None) -> list[dict[str, Any]]:
    """A deployment that stands in line: no lock yet."""
    place = line_key(deployment) | items.write({"deployment_id": deployment.id})
    writes = [_first_write(table, deployment), {"Put": {"TableName": table, "Item": place}}]
    return writes + ([_claim_write(table, deployment, claim)] if claim else [])


def take_turn(table: str, deployment: Deployment, lock: Lock) -> list[dict[str, Any]]:
    """From the line to the lock: only while nobody holds the environment, and while it still waits."""
    return [
        _lock_write(table, deployment, lock, None),
        *leave_line(table, deployment, {"waiting": False, "summary": None}),
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
    given: dict[str, Any] = {
        "lock": items.of_lock(lock),
        "last_deployment": deployment.id,
        "listed_all": "ENVIRONMENTS",
        "at": deployment.environment,
    }
    if not deployment.waiting:  # one from the line was created long ago: that is not when the environment changed
        given["updated_at"] = deployment.created_at
    expression, names, values = items.update_of(given)
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


def _claim_write(table: str, deployment: Deployment, claim: Claim) -> dict[str, Any]:
    item = claim_key(claim) | items.write(
        {
            "deployment_id": deployment.id,
            "body_sha256": claim.body_sha256,
            "expires": items.epoch(deployment.created_at) + _CLAIM_DAYS * 86_400,
        }
    )
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
