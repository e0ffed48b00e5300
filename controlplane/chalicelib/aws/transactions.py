"""Keys of the table, and the one transaction that starts a deployment: its record, the lock, the idempotency claim."""

from __future__ import annotations

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
    return [_first_write(table, deployment)] + ([_claim_write(table, deployment, claim)] if claim else [])


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
    values = items.write({":lock": items.of_lock(lock), ":id": deployment.id, ":at": deployment.created_at})
    condition = "attribute_not_exists(#lock)"
    if takes_over:
        condition += " OR #lock.deployment_id = :dead"
        values |= items.write({":dead": takes_over.deployment_id})
    return {
        "Update": {
            "TableName": table,
            "Key": environment_key(deployment.environment),
            "UpdateExpression": "SET #lock = :lock, last_deployment = :id, updated_at = :at, "
            "listed_all = :environments, #at = :name",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#lock": "lock", "#at": "at"},
            "ExpressionAttributeValues": values
            | items.write({":environments": "ENVIRONMENTS", ":name": deployment.environment}),
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
