"""The control plane's table in moto, as resources.yaml declares it."""

from __future__ import annotations

from pathlib import Path

import boto3
import yaml

_RESOURCES = Path(__file__).resolve().parents[2] / "statemachine" / "resources.yaml"
_WANTED = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def make_table() -> None:
    """Where boto3's default session leads."""
    declared = yaml.safe_load(_RESOURCES.read_text())["Resources"]["Table"]["Properties"]
    boto3.client("dynamodb").create_table(**{name: declared[name] for name in _WANTED})
