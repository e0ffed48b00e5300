"""moto's DynamoDB for tables of half a million items: each query reads the partition that it names, in its order.

moto scans and sorts the whole table for a query, so that its time would be what a bench measures. Here its own `query`
works on what DynamoDB would read: the items under one key of the table or of an index, from the start key on, and no
more than `Limit` of them and the one that says whether there are more.
"""

from __future__ import annotations

import copy
import inspect
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from chalicelib.adapters.session import client
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from bench.recorded import variables
from tests.fakes.capacity import INDICES, size

_ACCOUNT, _REGION = "123456789012", "eu-central-1"  # moto's own account
Place = tuple[str, str, str]  # an entry's range key in an index, and its key in the table


@dataclass
class Counted:
    """Calls of DynamoDB, and bytes of the items that they answered."""

    calls: int = 0
    bytes: int = 0


@dataclass
class Partitions:
    """Every index of every table, by table, index and hash key: the sorted places of its entries."""

    places: dict[tuple[str, str, str], list[Place]] = field(default_factory=lambda: defaultdict(list))

    def put(self, table: str, item: Mapping[str, Any], like: Item | None = None) -> Item:
        """An item past moto's checks, which take a millisecond. Items are put in the order of their range keys.

        like: an item whose attributes this one shares but for those that `item` has.
        """
        new = Item(DynamoType(item["pk"]), DynamoType(item["sk"]), dict(item))
        if like is not None:
            own = dict(new.attrs)
            new.attrs.update(like.attrs)
            new.attrs.update(own)
        stored = dynamodb_backends[_ACCOUNT][_REGION].tables[table].items
        stored[new.hash_key][new.range_key] = new
        for index, attribute in INDICES.items():
            if attribute in new.attrs and "at" in new.attrs:
                place = (new.attrs["at"].value, item["pk"]["S"], item["sk"]["S"])
                listed = self.places[table, index, new.attrs[attribute].value]
                if not listed or listed[-1] != place:
                    listed.append(place)
        return new

    def window(
        self, table: Table, index: str, value: str, start: Mapping[str, Any] | None, limit: int, rising: bool
    ) -> Table:
        """The table with nothing but what a query of the index reads."""
        places = self.places[table.name, index, value]
        first, last = 0, len(places)
        if start:
            edge = (start["at"]["S"], start["pk"]["S"], start["sk"]["S"])
            first, last = (bisect_right(places, edge), last) if rising else (first, bisect_left(places, edge))
        if limit:
            first, last = (first, min(last, first + limit + 1)) if rising else (max(first, last - limit - 1), last)
        read: dict[DynamoType, dict[DynamoType, Item]] = defaultdict(dict)
        for _, pk, sk in places[first:last]:
            hash_key, range_key = DynamoType({"S": pk}), DynamoType({"S": sk})
            read[hash_key][range_key] = table.items[hash_key][range_key]
        return _with(table, read)

    @contextmanager
    def counting(self) -> Iterator[Counted]:
        """Counts what the adapters' client is answered inside."""
        counted = Counted()

        def add(parsed: Mapping[str, Any], **_: object) -> None:
            several = [item for listed in parsed.get("Responses", {}).values() for item in listed]
            read = [*several, *parsed.get("Items", []), *([parsed["Item"]] if "Item" in parsed else [])]
            counted.calls, counted.bytes = counted.calls + 1, counted.bytes + sum(map(size, read))

        events = client("dynamodb").meta.events
        events.register("after-call.dynamodb", add)
        try:
            yield counted
        finally:
            events.unregister("after-call.dynamodb", add)


def _with(table: Table, stored: Any) -> Table:
    other = copy.copy(table)
    other.items = stored
    return other


@contextmanager
def emulated() -> Iterator[Partitions]:
    """An empty account of moto's, whose queries read partitions."""
    partitions, query = Partitions(), Table.query
    signature = inspect.signature(query)

    def of_its_partition(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        bound.apply_defaults()
        parameters = bound.arguments
        table, hash_key, index = parameters["self"], parameters["hash_key"], parameters["index_name"]
        if index is None:
            parameters["self"] = _with(table, {hash_key: table.items[hash_key]} if hash_key in table.items else {})
        else:
            start, limit, rising = (
                parameters["exclusive_start_key"],
                parameters["limit"],
                parameters["scan_index_forward"],
            )
            parameters["self"] = partitions.window(table, index, hash_key.value, start, limit, rising is not False)
        return query(*bound.args, **bound.kwargs)

    with variables(), mock_aws():
        boto3.setup_default_session()
        Table.query = of_its_partition  # type: ignore[method-assign]
        try:
            yield partitions
        finally:
            Table.query = query  # type: ignore[method-assign]
