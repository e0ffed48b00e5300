"""Live figures in the table: one item a worker, replaced, in order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from chalicelib.adapters.live_figures import DynamoLiveFigures

from tests.fakes.table import make_table


@pytest.fixture
def figures() -> DynamoLiveFigures:
    make_table()
    return DynamoLiveFigures("proxyctl", lambda: datetime(2026, 1, 1, tzinfo=UTC))


def test_each_worker_has_one_record_that_is_replaced(figures: DynamoLiveFigures) -> None:
    for second in (1, 2):
        for worker in (10, 2):
            figures.put("d-1", worker, {"second": second, "good": 7, "p99_ms": 12.5, "p50_ms": None})
    figures.put("d-2", 0, {"second": 9})
    assert figures.of("d-1") == [
        {"worker": worker, "second": 2, "good": 7, "p99_ms": 12.5, "p50_ms": None} for worker in (2, 10)
    ]


def test_a_deployment_without_load_has_none(figures: DynamoLiveFigures) -> None:
    assert figures.of("d-9") == []
