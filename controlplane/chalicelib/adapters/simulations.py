"""DynamoDB behind `ports.simulations`: one item with an attribute a role, so that one read answers all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from chalicelib.domain.aws.identity import Simulation
from chalicelib.domain.codec import decode_lenient

from . import items, writes
from .keys import key_of
from .table import Table

_KEY = key_of("CONTROLPLANE#proxyctl", "SIMULATIONS")
_ROLE = "role_"


class DynamoSimulations:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._table = table

    def remembered(self) -> Mapping[str, Simulation]:
        item = Table(self._table).get(_KEY) or {}
        roles = {name: value for name, value in items.visible(item).items() if name.startswith(_ROLE)}
        return {name.removeprefix(_ROLE): decode_lenient(Simulation, value) for name, value in roles.items()}

    def remember(self, simulations: Mapping[str, Simulation]) -> None:
        # `expires` is the table's TTL attribute: the item goes when its last answer has ended.
        changes: dict[str, object] = {f"{_ROLE}{role}": dataclasses.asdict(each) for role, each in simulations.items()}
        changes["expires"] = max(items.epoch(each.until) for each in simulations.values())
        expression, names, values = items.update_of(changes)
        writes.item(
            "update_item",
            TableName=self._table,
            Key=_KEY,
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
