"""Incidents in the table: an end keeps the differences of the beginning, and a page is one query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from chalicelib.adapters.records import DynamoRecords
from chalicelib.domain.records import DriftRow, Incident

from tests.fakes.table import table_in_moto

OPENED = Incident("2026-01-02T03:00:00.000+00:00", "d-2", "an alarm is gone", (DriftRow("a", "there", "gone"),))
CLOSED = replace(OPENED, drift=(), closed_at="2026-01-04T03:00:00.000+00:00", closed_by="d-4", how="passed")


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoRecords]:
    with table_in_moto(monkeypatch):
        yield DynamoRecords("proxyctl")


def test_an_incident_reads_back_as_it_was_written_and_as_it_ended(records: DynamoRecords) -> None:
    records.record_incident("dev", OPENED)
    assert records.incident("dev", "d-2") == OPENED
    for _ in range(2):
        records.record_incident("dev", CLOSED)
        assert records.incident("dev", "d-2") == replace(CLOSED, drift=OPENED.drift)
    assert records.incident("dev", "d-4") is None
    assert records.incident("other", "d-2") is None


def test_the_end_of_an_incident_that_an_earlier_version_opened_is_recorded(records: DynamoRecords) -> None:
    records.record_incident("dev", CLOSED)
    assert records.incident("dev", "d-2") == CLOSED


def test_incidents_come_newest_first_in_pages(records: DynamoRecords) -> None:
    later = replace(OPENED, opened_at="2026-01-05T03:00:00.000+00:00", opened_by="d-5")
    for incident in (OPENED, later):
        records.record_incident("dev", incident)
    (first,), cursor = records.incident_page("dev", 1, None)
    (second,), end = records.incident_page("dev", 9, cursor)
    assert (first, second, end) == (later, OPENED, None)


def test_the_history_of_a_span_has_both_its_ends_and_nothing_else(records: DynamoRecords) -> None:
    for day in range(1, 6):
        at = f"2026-01-0{day}T03:00:00.000+00:00"
        records.add_history("dev", at, {"deployment_id": f"d-{day}"})
    between = records.history_between("dev", OPENED.opened_at, CLOSED.closed_at or "", 9)
    assert [entry["deployment_id"] for entry in between] == ["d-4", "d-3", "d-2"]
    assert [entry["deployment_id"] for entry in records.history_between("dev", OPENED.opened_at, "", 2)] == [
        "d-5",
        "d-4",
    ]
