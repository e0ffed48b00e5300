"""The control plane's table, as resources.yaml declares it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from chalicelib.adapters.session import client as of_adapters
from moto import mock_aws

_RESOURCES = Path(__file__).resolve().parents[2] / "statemachine" / "resources.yaml"
_WANTED = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def make_table(client: Any = None, name: str = "proxyctl") -> None:
    """client: of DynamoDB; None for where boto3's default session leads."""
    declared = yaml.safe_load(_RESOURCES.read_text())["Resources"]["Table"]["Properties"]
    (client or boto3.client("dynamodb")).create_table(
        **{each: declared[each] for each in _WANTED} | {"TableName": name}
    )


@contextmanager
def table_in_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account of moto's that has the table and nothing else; the adapters' clients lead there."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    of_adapters.cache_clear()
    with mock_aws():
        make_table()
        yield
    of_adapters.cache_clear()
