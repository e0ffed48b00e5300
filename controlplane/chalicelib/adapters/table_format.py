"""DynamoDB behind `ports.table_format`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chalicelib.domain.aws.table_items import FormatState, Item, Write

from . import items, writes
from .keys import key_of
from .session import call
from .table import Table

_KEY = key_of("FORMAT", "META")


class DynamoTableFormat:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._name, self._table = table, Table(table)

    def read(self) -> FormatState:
        entry = items.visible(self._table.get(_KEY) or {})
        return FormatState(entry.get("format", 1), entry.get("moving_to", 0), entry.get("after", ""))

    def write(self, state: FormatState) -> None:
        entry = {"format": state.format, "moving_to": state.moving_to, "after": state.after}
        self._table.put(_KEY, entry)

    def page(self, after: str, limit: int) -> tuple[Sequence[Item], str]:
        start: dict[str, Any] = {"ExclusiveStartKey": json.loads(after)} if after else {}
        answer = call("dynamodb", "scan", TableName=self._name, Limit=limit, ConsistentRead=True, **start)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], json.dumps(last, sort_keys=True) if last else ""

    def change(self, changes: Sequence[Write]) -> None:
        in_table = [{kind: {"TableName": self._name, **what} for kind, what in each.items()} for each in changes]
        writes.transaction(in_table)
