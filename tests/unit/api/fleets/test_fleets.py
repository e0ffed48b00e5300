"""The routes of fleets: what they answer, what they refuse, and the report of the whole."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from chalicelib.api.fleets import fleet_deployments, fleets
from chalicelib.api.fleets.report import report_of
from chalicelib.api.fleets.views import show
from chalicelib.domain.model import DeploymentStatus

from tests.fakes.calls import ask
from tests.unit.lifecycle.fleets.machine import WAVES, Machine, failing

NAME: dict[str, Any] = {"name": "all"}


def ended(*broken: str) -> tuple[Machine, str]:
    machine = Machine(ends=failing(*broken))
    id_ = machine.begin(options={"reason": "<b>why</b>"}).id
    machine.run(id_)
    return machine, id_


def test_a_start_is_accepted_with_its_location_and_every_wave() -> None:
    machine = Machine()
    answer = ask(machine.aws, fleet_deployments.start, {"waves": WAVES}, key="k", **NAME)
    assert (answer.status, answer.body["status"], answer.body["percent"]) == (202, "PENDING", 0)
    assert answer.headers["Location"] == f"fleets/all/deployments/{answer.body['id']}"
    assert [[member["environment"] for member in wave["members"]] for wave in answer.body["waves"]] == WAVES
    assert machine.aws.fleet_executions.started == {answer.body["id"]: {"id": answer.body["id"]}}


def test_what_ended_is_shown_wave_by_wave_and_what_never_began_says_so() -> None:
    machine, id_ = ended("eu")
    shown = ask(machine.aws, fleet_deployments.show, **NAME, id=id_).body
    assert (shown["status"], shown["percent"]) == ("ROLLED_BACK", 100)
    assert [wave["status"] for wave in shown["waves"]] == ["PASSED", "FAILED", "PENDING"]
    assert shown["waves"][2]["members"][0]["status"] == "NOT_STARTED"
    assert shown["waves"][0]["members"][0]["rolled_back"] == "DONE"
    assert "token" not in str(shown)


@pytest.mark.parametrize(
    ("route", "path", "field"),
    [
        (fleets.show, {"name": "unknown"}, "name"),
        (fleet_deployments.index, {"name": "unknown"}, "name"),
        (fleet_deployments.show, {"name": "all", "id": "f-unknown"}, "id"),
        (fleet_deployments.report, {"name": "all", "id": "f-unknown"}, "id"),
        (fleet_deployments.abort, {"name": "all", "id": "../x"}, "id"),
    ],
)
def test_what_does_not_exist_is_named(route: Any, path: dict[str, Any], field: str) -> None:
    machine, _ = ended()
    answer = ask(machine.aws, route, **path)
    assert (answer.status, answer.body["error"]["field"]) == (404, field)


def test_the_deployment_of_another_fleet_is_not_shown() -> None:
    machine, id_ = ended()
    assert ask(machine.aws, fleet_deployments.show, name="other", id=id_).status == 404


def test_fleets_and_their_deployments_are_listed() -> None:
    machine, id_ = ended()
    listed = ask(machine.aws, fleets.index).body["fleets"]
    assert [(fleet["name"], fleet["running"], fleet["last_deployment"]) for fleet in listed] == [("all", "", id_)]
    rows = ask(machine.aws, fleet_deployments.index, **NAME).body["deployments"]
    assert [row["id"] for row in rows] == [id_]


def test_an_abort_is_accepted_once_and_refuses_what_it_does_not_know() -> None:
    machine = Machine()
    id_ = machine.begin().id
    assert ask(machine.aws, fleet_deployments.abort, query={"roll_back": "maybe"}, **NAME, id=id_).status == 400
    assert ask(machine.aws, fleet_deployments.abort, query={"rollback": "true"}, **NAME, id=id_).status == 400
    assert ask(machine.aws, fleet_deployments.abort, query={"roll_back": "true"}, **NAME, id=id_).status == 202
    machine.run(id_)
    again = ask(machine.aws, fleet_deployments.abort, **NAME, id=id_)
    assert (again.status, again.body["error"]["code"]) == (409, "AlreadyEnded")


def test_an_approval_that_nobody_waits_for_is_refused() -> None:
    machine, id_ = ended()
    answer = ask(machine.aws, fleet_deployments.approve, **NAME, id=id_)
    assert (answer.status, answer.body["error"]["code"]) == (409, "NotWaiting")


class _Page(HTMLParser):
    """The open tags and the text of a page; a tag that is closed in the wrong order fails."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("broken", [(), ("canary",), ("eu",)])
def test_the_report_names_every_environment_and_escapes_what_people_wrote(broken: tuple[str, ...]) -> None:
    machine, id_ = ended(*broken)
    answer = ask(machine.aws, fleet_deployments.report, **NAME, id=id_)
    assert answer.headers["Content-Type"].startswith("text/html")
    page = _Page()
    page.feed(answer.body)
    assert not page.open
    assert all(name in page.text for name in ("canary", "eu", "us", "rest"))
    assert "<b>why</b>" in page.text
    assert "<b>" not in answer.body


def test_the_report_of_one_that_runs_says_so() -> None:
    machine = Machine()
    state = machine.aws.fleets.state(machine.begin().id)
    assert "still running" in report_of(show(state))
    assert show(state).status is DeploymentStatus.PENDING
