"""An incident has a page: why it opened, what differed, how it was closed, and what happened in between."""

from __future__ import annotations

import pytest
from chalicelib.api.past import incidents
from chalicelib.domain.records import DriftRow, Incident

from tests.fakes import FakeAws
from tests.fakes.calls import ask

OPENED = Incident("2026-01-02T03:00", "d-2", "an alarm is gone", (DriftRow("a", "there", "gone"),))


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    aws.records.attributes["dev"] = {"status": "LIVE", "last_deployment": "d-5"}
    for day in range(1, 6):
        aws.records.add_history("dev", f"2026-01-0{day}T03:00", {"deployment_id": f"d-{day}"})
    aws.records.record_incident("dev", OPENED)
    return aws


def close(aws: FakeAws) -> None:
    closed = Incident(OPENED.opened_at, "d-2", OPENED.why, (), "2026-01-04T03:00", "d-4", "Revalidate passed")
    aws.records.record_incident("dev", closed)


def test_an_open_incident_goes_on_to_the_newest_entry(aws: FakeAws) -> None:
    shown = ask(aws, incidents.show, name="dev", id="d-2").body
    assert (shown["closed_at"], shown["drift"][0]["found"]) == (None, "gone")
    assert [entry["deployment_id"] for entry in shown["history"]] == ["d-5", "d-4", "d-3", "d-2"]


def test_a_closed_incident_ends_with_what_closed_it(aws: FakeAws) -> None:
    close(aws)
    shown = ask(aws, incidents.show, name="dev", id="d-2").body
    assert (shown["closed_by"], shown["how"], shown["drift"][0]["where"]) == ("d-4", "Revalidate passed", "a")
    assert [entry["deployment_id"] for entry in shown["history"]] == ["d-4", "d-3", "d-2"]


def test_incidents_are_listed_in_pages(aws: FakeAws) -> None:
    aws.records.record_incident("dev", Incident("2026-01-05T03:00", "d-5", "again"))
    first = ask(aws, incidents.index, name="dev", query={"limit": "1"}).body
    rest = ask(aws, incidents.index, name="dev", query={"cursor": first["cursor"]}).body
    assert [row["opened_by"] for row in (*first["incidents"], *rest["incidents"])] == ["d-5", "d-2"]
    assert rest["cursor"] is None


@pytest.mark.parametrize(("name", "id_"), [("dev", "d-3"), ("other", "d-2"), ("dev", "no/id")])
def test_an_incident_that_there_is_not_is_not_found(aws: FakeAws, name: str, id_: str) -> None:
    answer = ask(aws, incidents.show, name=name, id=id_)
    assert (answer.status, bool(answer.body["error"]["remedy"])) == (404, True)
