"""DynamoDB's capacity units, counted from the requests of boto3 and the table's items before and after each.

Source: DynamoDB developer guide, "DynamoDB read and write operations" and "Item sizes and formats": a write costs a
unit for each kB of the larger of the old and the new item, twice as much in a transaction; each index whose copy of the
item changes costs the same again, without the factor. A strongly consistent read costs a unit for each 4 kB, another
half of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

Item = Mapping[str, Any]
_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
# By the attribute without which an item is not in it.
INDICES = {"by_all": "listed_all", "by_environment": "listed", "by_status": "status"}


def size(item: Item) -> int:
    """Bytes of an item in DynamoDB's JSON."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Item) -> int:
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        return math.ceil(len(held.strip("-").replace(".", "")) / 2) + 1
    if kind == "M":
        return 3 + size(held) + len(held)
    if kind == "L":
        return 3 + sum(map(_size, held)) + len(held)
    return 1


def write_units(before: Item, after: Item, *, factor: int) -> int:
    """Units of one write; {} for an item that is not there. factor: 2 in a transaction."""
    table = factor * max(1, math.ceil(max(size(before), size(after)) / 1_024))
    return table + sum(_index_units(before, after, key) for key in INDICES.values())


def _index_units(before: Item, after: Item, key: str) -> int:
    old, new = (item if key in item and "at" in item else {} for item in (before, after))
    if old == new:
        return 0
    kilobytes = [math.ceil(size(item) / 1_024) for item in (old, new) if item]
    moved = bool(old and new) and (old[key], old["at"]) != (new[key], new["at"])
    return sum(kilobytes) if moved else max(kilobytes)


_ACCOUNT = "123456789012"  # moto's own


@dataclass
class Meter:
    """Units so far, and write units by the sort key's first part (`META`, `LOCK`, `PHASE`)."""

    client: Any
    written: int = 0
    read: float = 0.0
    by_kind: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    _before: list[tuple[dict[str, Any], Item]] = field(default_factory=list)

    @contextmanager
    def counting(self) -> Iterator[Meter]:
        """Counts what the client sends inside."""
        events = self.client.meta.events
        events.register("before-parameter-build.dynamodb", self._begins)
        events.register("after-call.dynamodb", self._ends)
        try:
            yield self
        finally:
            events.unregister("before-parameter-build.dynamodb", self._begins)
            events.unregister("after-call.dynamodb", self._ends)

    def _begins(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        self._before = [(key, self._item(key)) for key in _keys(model.name, params)]
        self._strong = bool(params.get("ConsistentRead")) or model.name == "BatchGetItem"

    def _ends(self, parsed: Mapping[str, Any], model: Any, **_: object) -> None:
        self.requests += 1
        factor = 2 if model.name == "TransactWriteItems" else 1
        for key, before in self._before:
            units = write_units(before, self._item(key), factor=factor)
            kind = key["sk"]["S"].partition("#")[0]
            self.written, self.by_kind[kind] = self.written + units, self.by_kind.get(kind, 0) + units
        if model.name in ("GetItem", "Query", "BatchGetItem"):
            self.read += max(1, math.ceil(sum(map(size, _items(parsed))) / 4_096)) * (1 if self._strong else 0.5)

    def _item(self, key: Item) -> Item:
        """From moto's memory: a request to moto takes longer than all else here."""
        backend = dynamodb_backends[_ACCOUNT][self.client.meta.region_name]
        items = backend.tables["proxyctl"].items.get(DynamoType(key["pk"]), {})
        item = items.get(DynamoType(key["sk"])) if isinstance(items, dict) else items
        attributes: Item = item.to_json()["Attributes"] if item else {}
        return attributes


def _keys(operation: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    writes = [params] if operation in _WRITES else []
    if operation == "TransactWriteItems":
        writes = [body for write in params["TransactItems"] for body in write.values()]
    named = [write.get("Key") or write["Item"] for write in writes]
    return [{"pk": key["pk"], "sk": key["sk"]} for key in named]


def _items(parsed: Mapping[str, Any]) -> list[Item]:
    several = [item for items in parsed.get("Responses", {}).values() for item in items]
    return [*several, *parsed.get("Items", []), *([parsed["Item"]] if "Item" in parsed else [])]
