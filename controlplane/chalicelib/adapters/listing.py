"""What the two indices hold: an item LISTED beside each record, with its place in the lists and its status.

An index copies the item that its keys are in. The records, of up to 13 KB, were copied with each of their changes;
these items have 200 bytes and change with the status. Records of versions before this one are in the indices
themselves, and are listed as well: their keys lead to the same records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from chalicelib.domain.errors import Throttled
from chalicelib.domain.model import Deployment, DeploymentStatus

from . import cursors, items
from .keys import deployment_key, environment_key
from .session import call, pages
from .table import plain
from .writes import repeated

_LISTED = "LISTED"
_ENVIRONMENTS = "ENVIRONMENTS"
_BATCH = 100  # items of one BatchGetItem


def of_deployment(table: str, deployment: Deployment) -> dict[str, Any]:
    """A new deployment in both lists. The rest is what a version before this one shows of it."""
    item = deployment_key(deployment.id, _LISTED) | items.write(
        {
            "listed": f"ENVIRONMENT#{deployment.environment}",
            "listed_all": "ALL",
            "at": f"{deployment.created_at}#{deployment.id}",
            "status": deployment.status.value,
            "environment": deployment.environment,
            "action": deployment.action.value,
            "created_at": deployment.created_at,
        }
    )
    return {"Put": {"TableName": table, "Item": item}}


def of_environment(table: str, name: str) -> dict[str, Any]:
    """An environment in the list of all; written again it changes nothing."""
    item = environment_key(name, _LISTED) | items.write({"listed_all": _ENVIRONMENTS, "at": name})
    return {"Put": {"TableName": table, "Item": item}}


def status(table: str, deployment_id: str, changes: Mapping[str, object]) -> list[dict[str, Any]]:
    """The change of a deployment's status in the lists; [] when `changes` has none."""
    if "status" not in changes:
        return []
    update = {
        "TableName": table,
        "Key": deployment_key(deployment_id, _LISTED),
        "UpdateExpression": "SET #status = :status",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": items.write({":status": str(changes["status"])}),
    }
    return [{"Update": update}]


def deployments(
    table: str, environment: str | None, wanted: DeploymentStatus | None, limit: int, cursor: str | None
) -> tuple[list[Mapping[str, Any]], str | None]:
    """Records of deployments, newest first, and the cursor of the next page."""
    index, name, value = ("by_all", "listed_all", "ALL")
    if environment:
        index, name, value = ("by_environment", "listed", f"ENVIRONMENT#{environment}")
    query: dict[str, Any] = {
        "TableName": table,
        "IndexName": index,
        "KeyConditionExpression": "#listed = :listed",
        "ExpressionAttributeNames": {"#listed": name},
        "ExpressionAttributeValues": {":listed": {"S": value}},
        "ScanIndexForward": False,
    }
    if wanted:
        query["FilterExpression"] = "#status = :status"
        query["ExpressionAttributeNames"]["#status"] = "status"
        query["ExpressionAttributeValues"][":status"] = {"S": wanted.value}
    entries: list[Mapping[str, Any]] = []
    start = cursors.decode(cursor, name, value)
    while len(entries) < limit:
        # A filter is applied after the limit, so one page may hold fewer than were asked for.
        arguments = query | {"Limit": limit - len(entries)} | ({"ExclusiveStartKey": start} if start else {})
        answer = call("dynamodb", "query", **arguments)
        entries.extend(answer["Items"])
        start = answer.get("LastEvaluatedKey")
        if not start:
            break
    keys = [{"pk": entry["pk"], "sk": {"S": "META"}} for entry in entries]
    records = {record["pk"]: record for record in _read(table, keys)}
    in_order = (records.get(entry["pk"]["S"]) for entry in entries)
    return [record for record in in_order if record], cursors.encode(start)


def environments(table: str) -> list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Name, record and lock's item of each, sorted by name."""
    listed = pages(
        "dynamodb",
        "query",
        "Items",
        TableName=table,
        IndexName="by_all",
        KeyConditionExpression="listed_all = :all",
        ExpressionAttributeValues={":all": {"S": _ENVIRONMENTS}},
    )
    names = list(dict.fromkeys(str(entry["at"]["S"]) for entry in listed))
    keys = [environment_key(name, sk) for name in names for sk in ("LOCK", "META")]
    read = {(item["pk"], item["sk"]): item for item in _read(table, keys)}
    pairs = ((name, read.get((f"ENVIRONMENT#{name}", "META")), f"ENVIRONMENT#{name}") for name in names)
    return [(name, record, read.get((pk, "LOCK"), {})) for name, record, pk in pairs if record]


def _read(table: str, keys: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The items under these keys, in any order, strongly consistent. Raises Throttled when parts stay unanswered."""
    for first in range(0, len(keys), _BATCH):
        rest = list(keys[first : first + _BATCH])
        while rest:
            answered, rest = repeated(partial(_batch, table, rest))
            yield from map(plain, answered)


def _batch(table: str, keys: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Items, and keys that were left out: an answer ends at 16 MB, and at what the table's rate allows."""
    request = {table: {"Keys": list(keys), "ConsistentRead": True}}
    answer = call("dynamodb", "batch_get_item", RequestItems=request)
    rest = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    if len(rest) == len(keys):
        raise Throttled("dynamodb:batch_get_item: no item was answered")
    return answer["Responses"].get(table, []), rest
