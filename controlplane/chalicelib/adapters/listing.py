"""What the indices hold: an item LISTED beside each record, with its place in the lists and its status.

An index copies the item that its keys are in. The records, of up to 13 KB, were copied with each of their changes;
these items have 200 bytes and change with the status. Records of versions before this one are in the indices
themselves, and are listed as well: their keys lead to the same records.

A page is one query of an index, and the records that it names. Only `environment` with `status` has no index of its
own: its query reads the environment's list, up to 1 MB (some 5,000 deployments), so that a page may be short, or empty,
and still have a cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.domain.errors import Throttled
from chalicelib.domain.model import Deployment, DeploymentStatus

from . import cursors, expiry, items
from .keys import deployment_key, environment_key
from .session import call, pages
from .table import plain
from .writes import repeated

Stored = tuple[str, Mapping[str, Any], Mapping[str, Any]]  # an environment's name, record and lock's item

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
            **expiry.after(deployment.created_at),
        }
    )
    return {"Put": {"TableName": table, "Item": item}}


def of_environment(table: str, name: str) -> dict[str, Any]:
    """An environment in the list of all; written again it changes nothing."""
    item = environment_key(name, _LISTED) | items.write({"listed_all": _ENVIRONMENTS, "at": name})
    return {"Put": {"TableName": table, "Item": item}}


def environment_expires(table: str, name: str, expires: int) -> dict[str, Any]:
    """An environment that was removed leaves the list when its record expires. expires: epoch seconds."""
    return {
        "Update": {
            "TableName": table,
            "Key": environment_key(name, _LISTED),
            "UpdateExpression": "SET expires = :expires",
            "ExpressionAttributeValues": items.write({":expires": expires}),
        }
    }


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


@dataclass(frozen=True, slots=True)
class _List:
    """A partition of an index. key: the attribute that is the index's hash key; value: its value in this list."""

    index: str
    key: str
    value: str

    def query(self, table: str, start: Mapping[str, Any] | None) -> dict[str, Any]:
        """Arguments of `query`, in the index's order from after the key `start`."""
        arguments: dict[str, Any] = {
            "TableName": table,
            "IndexName": self.index,
            "KeyConditionExpression": "#listed = :listed",
            "ExpressionAttributeNames": {"#listed": self.key},
            "ExpressionAttributeValues": {":listed": {"S": self.value}},
        }
        return arguments | ({"ExclusiveStartKey": start} if start else {})

    def start(self, cursor: str | None) -> dict[str, Any] | None:
        """The key after which the cursor goes on. Raises BadRequest for a cursor of another list."""
        return cursors.decode(cursor, self.key, self.value)

    def place(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The key of an entry in the index."""
        return {name: entry[name] for name in ("pk", "sk", "at", self.key)}


_EVERY_ENVIRONMENT = _List("by_all", "listed_all", _ENVIRONMENTS)


def deployments(
    table: str, environment: str | None, wanted: DeploymentStatus | None, limit: int, cursor: str | None
) -> tuple[list[Mapping[str, Any]], str | None]:
    """Records of deployments, newest first, and the cursor of the next page."""
    where = _list_of(environment, wanted)
    query = where.query(table, where.start(cursor)) | {"ScanIndexForward": False}
    if environment and wanted:
        # Limit counts what the filter drops, too: with it, a rare status would take a query for each `limit` entries.
        query["FilterExpression"] = "#status = :status"
        query["ExpressionAttributeNames"]["#status"] = "status"
        query["ExpressionAttributeValues"][":status"] = {"S": wanted.value}
    else:
        query["Limit"] = limit
    answer = call("dynamodb", "query", **query)
    entries, last = answer["Items"][:limit], answer.get("LastEvaluatedKey")
    if len(answer["Items"]) > limit:
        last = where.place(entries[-1])
    records = {record["pk"]: record for record in _read(table, [_record_key(entry) for entry in entries])}
    in_order = (records.get(entry["pk"]["S"]) for entry in entries)
    return [record for record in in_order if record and _is_in(record, wanted)], cursors.encode(last)


def _list_of(environment: str | None, wanted: DeploymentStatus | None) -> _List:
    if environment:
        return _List("by_environment", "listed", f"ENVIRONMENT#{environment}")
    return _List("by_status", "status", wanted.value) if wanted else _List("by_all", "listed_all", "ALL")


def _record_key(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"pk": entry["pk"], "sk": {"S": "META"}}


def _is_in(record: Mapping[str, Any], wanted: DeploymentStatus | None) -> bool:
    """Whether the record still has the status under which the index, a moment behind, lists it."""
    return wanted is None or record.get("status", wanted.value) == wanted.value


def environment_names(table: str) -> list[str]:
    """All names, sorted: read from the index alone, some 10,000 names a call."""
    listed = pages("dynamodb", "query", "Items", **_EVERY_ENVIRONMENT.query(table, None))
    return _names(listed)


def environments(table: str, limit: int, cursor: str | None) -> tuple[Sequence[Stored], str | None]:
    """Name, record and lock's item of each, sorted by name, and the cursor of the next page."""
    start = _EVERY_ENVIRONMENT.start(cursor)
    answer = call("dynamodb", "query", **_EVERY_ENVIRONMENT.query(table, start), Limit=limit)
    before = str(start["at"]["S"]) if start else ""
    names = [name for name in _names(answer["Items"]) if name != before]
    keys = [environment_key(name, sk) for name in names for sk in ("LOCK", "META")]
    read = {(item["pk"], item["sk"]): item for item in _read(table, keys)}
    pairs = ((name, read.get((f"ENVIRONMENT#{name}", "META")), f"ENVIRONMENT#{name}") for name in names)
    shown: list[Stored] = [(name, record, read.get((pk, "LOCK"), {})) for name, record, pk in pairs if record]
    return shown, cursors.encode(answer.get("LastEvaluatedKey"))


def _names(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each once: a record of an earlier version is listed itself, beside its item LISTED."""
    return list(dict.fromkeys(str(entry["at"]["S"]) for entry in entries))


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
