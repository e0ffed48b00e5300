"""What a sweep that finds nothing to do reads, which the estimate at rest rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from chalicelib.adapters.fleets import DynamoFleets
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import client
from chalicelib.costs.at_rest import SWEEP_READS
from chalicelib.lifecycle.sweep import sweep

from tests.fakes import FakeAws
from tests.fakes.table import table_in_moto


def test_a_sweep_of_an_empty_table_reads_as_often_as_the_estimate_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with table_in_moto(monkeypatch):
        aws = FakeAws()
        aws.records = DynamoRecords("proxyctl")  # type: ignore[assignment]
        aws.fleets = DynamoFleets("proxyctl")  # type: ignore[assignment]
        calls: list[str] = []

        def note(model: Any, **_: object) -> None:
            calls.append(model.name)

        client("dynamodb").meta.events.register("before-call.dynamodb", note)
        assert sweep({}, aws.as_aws(), lambda: datetime(2026, 11, 27, tzinfo=UTC)) == {}
    assert calls == ["Query"] * SWEEP_READS
