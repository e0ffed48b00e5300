"""DynamoDB behind `ports.live_figures`: items `DEPLOYMENT#<id>` / `LOAD#<worker>` of the control plane's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from . import items
from .session import call, pages
from .transactions import deployment_key

_READ = TypeDeserializer()


class DynamoLiveFigures:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._table = table

    def put(self, deployment_id: str, worker: int, figures: Mapping[str, Any]) -> None:
        key = deployment_key(deployment_id, f"LOAD#{worker:04}")
        call("dynamodb", "put_item", TableName=self._table, Item=key | items.write({**figures, "worker": worker}))

    def of(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        found = pages(
            "dynamodb",
            "query",
            "Items",
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :load)",
            ExpressionAttributeValues=items.write({":pk": f"DEPLOYMENT#{deployment_id}", ":load": "LOAD#"}),
        )
        return [items.visible({key: _READ.deserialize(value) for key, value in item.items()}) for item in found]
