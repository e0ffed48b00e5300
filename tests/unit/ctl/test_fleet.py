"""`proxyctl fleet …` and `promote`: what each command sends, what it prints, and with which code it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ctl.__main__ import main
from tests.fakes.control_api import ControlApi

MEMBER = {"environment": "canary", "status": "SUCCEEDED", "deployment": "d-1", "summary": "Version 2 serves"}
LATER = {"environment": "eu", "status": "NOT_STARTED", "deployment": None, "summary": ""}


def fleet(status: str = "SUCCEEDED", **other: Any) -> dict[str, Any]:
    waves = [
        {"number": 1, "status": "PASSED", "members": [MEMBER]},
        {"number": 2, "status": "PENDING", "members": [LATER]},
    ]
    return {"id": "f-1", "fleet": "shops", "status": status, "waves": waves, "percent": 50} | other


def run(shell: ControlApi, line: str, *answers: Any) -> int:
    shell.answers = [answer if isinstance(answer, tuple) else (200, answer) for answer in answers]
    return main(line.split())


def test_promote_names_where_the_release_has_passed(shell: ControlApi) -> None:
    assert run(shell, "promote prod --from staging --set memory_mb=1024 --no-follow", {"id": "d-1"}) == 0
    assert shell.requests[0].json == {
        "environment": "prod",
        "action": "promote",
        "from": "staging",
        "config": {"memory_mb": 1024},
    }


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        ("", {}),
        ("--soak 60 --approval --tolerate 0.1", {
            "gate": {"soak_s": 60, "approval": "required", "tolerated_failures": 0.1}
        }),
        ("--on-failure keep --at-once 4 --max-cost-usd 5", {"on_failure": "keep", "at_once": 4, "max_cost_usd": 5.0}),
        ("--set memory_mb=256 --reason why", {"config": {"memory_mb": 256}, "options": {"reason": "why"}}),
        ("--create --replace --force", {"create": True, "replace": True, "options": {"force": True}}),
    ],
)  # fmt: skip
def test_a_fleet_is_one_post_with_its_waves(shell: ControlApi, flags: str, body: dict[str, Any]) -> None:
    line = f"fleet deploy shops --wave canary --wave eu,us {flags} --no-follow"
    assert run(shell, line, {"id": "f-1"}) == 0
    sent = shell.requests[0]
    assert (sent.method, sent.path) == ("POST", "/api/fleets/shops/deployments")
    assert sent.json == {"action": "deploy", "waves": [["canary"], ["eu", "us"]]} | body


def test_a_fleet_is_promoted(shell: ControlApi) -> None:
    run(shell, "fleet deploy shops --wave a --action promote --from staging --no-follow", {"id": "f-1"})
    assert shell.requests[0].json == {"action": "promote", "from": "staging", "waves": [["a"]]}


def test_a_wave_without_a_name_is_a_wrong_usage(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "deploy", "shops", "--wave", " , "]) == 2
    assert "--wave 1 names no environment" in capsys.readouterr().err
    assert not shell.requests


@pytest.mark.parametrize(
    ("status", "code"),
    [("SUCCEEDED", 0), ("FAILED", 1), ("ROLLED_BACK", 4), ("ABORTED", 1), ("WAITING_APPROVAL", 5)],
)
def test_the_exit_code_is_that_of_the_outcome(
    shell: ControlApi, capsys: pytest.CaptureFixture[str], status: str, code: int
) -> None:
    answers = ({"id": "f-1"}, fleet("RUNNING"), fleet(status, summary="as it is", approval={"until": "tomorrow"}))
    assert run(shell, "fleet deploy shops --wave canary --wave eu", *answers) == code
    shown = capsys.readouterr()
    assert "canary: SUCCEEDED" in shown.out
    assert "eu: NOT_STARTED" in shown.out


def test_the_status_shows_every_wave_and_needs_no_id(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, "fleet status shops", {"name": "shops", "last_deployment": "f-1"}, fleet()) == 0
    assert [sent.path for sent in shell.requests] == ["/api/fleets/shops", "/api/fleets/shops/deployments/f-1"]
    shown = capsys.readouterr().out
    assert "wave 1 of 2: PASSED" in shown
    assert "canary  SUCCEEDED  d-1  Version 2 serves" in shown


def test_what_was_taken_back_is_shown(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    back = MEMBER | {"rolled_back": "DONE", "rollback": "d-9", "rollback_summary": "back on version 1"}
    waves = [{"number": 1, "status": "PASSED", "members": [back]}]
    run(shell, "fleet status shops f-1", fleet("ROLLED_BACK", waves=waves))
    assert "taken back: DONE  d-9  back on version 1" in capsys.readouterr().out


def test_json_is_the_apis_answer_and_of_a_followed_one_a_line_a_change(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shell, "fleet status shops f-1 --json", fleet()) == 0
    assert json.loads(capsys.readouterr().out) == fleet()
    assert run(shell, "fleet status shops f-1 --json --follow", fleet("RUNNING"), fleet("RUNNING"), fleet()) == 0
    assert all(json.loads(line)["id"] == "f-1" for line in capsys.readouterr().out.splitlines())


def test_abort_and_approve_are_one_post(shell: ControlApi) -> None:
    assert run(shell, "fleet abort shops f-1 --roll-back", fleet("RUNNING")) == 0
    assert run(shell, "fleet approve shops f-1 --yes", fleet("RUNNING")) == 0
    paths = [sent.path for sent in shell.requests]
    assert paths[0].startswith("/api/fleets/shops/deployments/f-1/abort")
    assert paths[1] == "/api/fleets/shops/deployments/f-1/approve"


def test_approve_asks_first(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, "fleet approve shops f-1") == 2
    assert "add --yes" in capsys.readouterr().err
    assert not shell.requests


def test_the_report_is_printed_as_it_is(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, "fleet report shops f-1 --json", "<h1>Fleet</h1>") == 0
    assert json.loads(capsys.readouterr().out) == {"report": "<h1>Fleet</h1>"}


def test_the_fleets_are_listed(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {"fleets": [{"name": "shops", "running": "f-1", "last_deployment": "f-1"}], "cursor": None}
    assert run(shell, "fleet list", listed) == 0
    assert "shops  running f-1" in capsys.readouterr().out


def test_a_refusal_is_code_3(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    error = {"error": {"code": "FleetBusy", "message": "fleet shops is busy with f-0", "holder": "f-0"}}
    assert run(shell, "fleet deploy shops --wave canary", (409, error)) == 3
    assert "busy with f-0" in capsys.readouterr().err
