"""The control plane's table, as resources.yaml declares it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import yaml

_RESOURCES = Path(__file__).resolve().parents[2] / "statemachine" / "resources.yaml"
_WANTED = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def make_table(client: Any = None) -> None:
    """client: of DynamoDB; None for where boto3's default session leads."""
    declared = yaml.safe_load(_RESOURCES.read_text())["Resources"]["Table"]["Properties"]
    (client or boto3.client("dynamodb")).create_table(**{name: declared[name] for name in _WANTED})
