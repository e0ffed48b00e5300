"""The lock of an environment: its record says who holds it (`lock.deployment_id`), the item LOCK has the lease.

Every call of a phase renews the lease three times. In the record, of 13 KB, that cost a hundred write units; in an item
of its own it costs five. Records of versions before this one have no such item: `adoption` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.model import Lock

from . import items
from .keys import environment_key

_NOBODY = ""


def key(environment: str) -> dict[str, Any]:
    """The key of the lock's item."""
    return environment_key(environment, "LOCK")


def current(record: Mapping[str, Any], item: Mapping[str, Any]) -> object:
    """The lock as plain values; None for an environment that nobody holds. The item counts while it is the holder's."""
    held = record.get("lock")
    is_holders = isinstance(held, dict) and item.get("deployment_id") == held.get("deployment_id")
    return items.visible(item) if is_holders else held


def taking(table: str, environment: str, lock: Lock) -> dict[str, Any]:
    """The lease of a new holder."""
    return {"Put": {"TableName": table, "Item": key(environment) | items.write(items.of_lock(lock))}}


def retaking(table: str, environment: str, lock: Lock) -> list[dict[str, Any]]:
    """The lock of a record that was rebuilt, while nobody else has taken it."""
    record = {
        "TableName": table,
        "Key": environment_key(environment),
        "UpdateExpression": "SET #lock = :lock",
        "ConditionExpression": "attribute_not_exists(#lock) OR #lock.deployment_id = :holder",
        "ExpressionAttributeNames": {"#lock": "lock"},
        "ExpressionAttributeValues": items.write({":lock": items.of_lock(lock), ":holder": lock.deployment_id}),
    }
    return [{"Update": record}, taking(table, environment, lock)]


def renewal(table: str, environment: str, lock: Lock) -> dict[str, Any]:
    """Extends the lease, if this execution of the holder has it, or none on record. Other attributes stay."""
    condition = "deployment_id = :holder AND execution_arn IN (:execution, :none)"
    return _lease(table, environment, lock, condition, {":none": ""})


def takeover(table: str, environment: str, lock: Lock) -> list[dict[str, Any]]:
    """Extends the lease whichever execution of the holder has it. A Lambda of a version before this one looks at the
    record only, so the record names the new execution, too."""
    record = {
        "TableName": table,
        "Key": environment_key(environment),
        "UpdateExpression": "SET #lock.execution_arn = :execution",
        "ConditionExpression": "#lock.deployment_id = :holder",
        "ExpressionAttributeNames": {"#lock": "lock"},
        "ExpressionAttributeValues": items.write({":holder": lock.deployment_id, ":execution": lock.execution_arn}),
    }
    return [_lease(table, environment, lock, "deployment_id = :holder", {}), {"Update": record}]


def release(
    table: str, environment: str, holder: str, execution_arn: str | None = None, expires: int | None = None
) -> dict[str, Any]:
    """Leaves the item without a holder; with `execution_arn` only if that execution has the lease. expires: epoch
    seconds, of an environment that is gone."""
    values: dict[str, object] = {":holder": holder, ":nobody": _NOBODY}
    condition = "attribute_not_exists(deployment_id) OR deployment_id IN (:holder, :nobody)"
    if execution_arn is not None:
        values = {":holder": holder, ":nobody": _NOBODY, ":execution": execution_arn}
        condition = "deployment_id = :holder AND execution_arn = :execution"
    if expires:
        values[":expires"] = expires
    return {
        "Update": {
            "TableName": table,
            "Key": key(environment),
            "UpdateExpression": "SET deployment_id = :nobody" + (", expires = :expires" if expires else ""),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": items.write(values),
        }
    }


def adoption(
    table: str, environment: str, record: Mapping[str, Any], item: Mapping[str, Any], holder: str
) -> list[dict[str, Any]]:
    """Writes the lease from a record of a version before this one, while that still names the holder; [] where there is
    nothing to adopt."""
    held = record.get("lock")
    if not isinstance(held, dict) or held.get("deployment_id") != holder or item.get("deployment_id") == holder:
        return []
    still_holds = {
        "TableName": table,
        "Key": environment_key(environment),
        "UpdateExpression": "SET #lock.deployment_id = :holder",  # changes nothing: its condition is what counts
        "ConditionExpression": "#lock.deployment_id = :holder",
        "ExpressionAttributeNames": {"#lock": "lock"},
        "ExpressionAttributeValues": items.write({":holder": holder}),
    }
    lease = {
        "TableName": table,
        "Item": key(environment) | items.write(items.visible(held)),
        "ConditionExpression": "attribute_not_exists(pk) OR deployment_id <> :holder",
        "ExpressionAttributeValues": items.write({":holder": holder}),
    }
    return [{"Update": still_holds}, {"Put": lease}]


def _lease(
    table: str, environment: str, lock: Lock, condition: str, more: Mapping[str, object]
) -> dict[str, dict[str, Any]]:
    values = {":holder": lock.deployment_id, ":execution": lock.execution_arn, ":until": lock.lease_until}
    return {
        "Update": {
            "TableName": table,
            "Key": key(environment),
            "UpdateExpression": "SET execution_arn = :execution, lease_until = :until",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": items.write({**values, **more}),
        }
    }
