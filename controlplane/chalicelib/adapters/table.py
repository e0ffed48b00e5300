"""The control plane's one table, as plain values: one item, or the items under a partition key in order.

Reads are strongly consistent. What lies under which keys is told by those who use it (records.py, nights.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from . import cursors, items, writes
from .keys import key_of
from .session import call, pages

_READ = TypeDeserializer()
_LAST = "~"  # sorts behind whatever our sort keys hold: times, names, ids


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's attributes without DynamoDB's types; numbers stay Decimals."""
    return {key: _READ.deserialize(value) for key, value in item.items()}


class Table:
    """Keys are as `keys` makes them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        item = call("dynamodb", "get_item", TableName=self.name, Key=key, ConsistentRead=True).get("Item")
        return plain(item) if item else None

    def put(self, key: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        writes.item("put_item", TableName=self.name, Item={**key, **items.write(entry)})

    def add(self, pk: str, sk: str, entry: Mapping[str, Any]) -> None:
        self.put(key_of(pk, sk), entry)

    def between(self, pk: str, first: str, last: str) -> dict[str, dict[str, Any]]:
        """Items from sort key `first` to `last`, by sort key."""
        arguments = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": items.write({":pk": pk, ":first": first, ":last": last}),
            "ConsistentRead": True,
        }
        read = pages("dynamodb", "query", "Items", TableName=self.name, **arguments)
        return {str(item["sk"]["S"]): plain(item) for item in read}

    def page(self, pk: str, prefix: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
        """Items whose sort key begins with `prefix`, last first, and the cursor of the next page. One call."""
        start = cursors.decode_under(cursor, pk, prefix)
        answer = call(
            "dynamodb",
            "query",
            TableName=self.name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=items.write({":pk": pk, ":prefix": prefix}),
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        return [plain(item) for item in answer["Items"]], cursors.encode(answer.get("LastEvaluatedKey"))

    def under(
        self,
        pk: str,
        prefix: str,
        *,
        since: str = "",
        until: str = _LAST,
        newest_first: bool = False,
        limit: int | None = None,
        only: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Items whose sort key begins with `prefix`, in its order; of them those from `prefix + since` to `prefix +
        until`, at most `limit`, with the attributes `only`. What these leave out is not read over the network, nor
        beyond a page."""
        arguments: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": items.write({":pk": pk, ":first": prefix + since, ":last": prefix + until}),
            "ScanIndexForward": not newest_first,
            "ConsistentRead": True,
        }
        if only:
            names = {f"#a{number}": name for number, name in enumerate(only)}
            arguments |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        if limit:
            arguments["PaginationConfig"] = {"MaxItems": limit, "PageSize": limit}
        return [plain(item) for item in pages("dynamodb", "query", "Items", TableName=self.name, **arguments)]
