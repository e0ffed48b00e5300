"""Each outcome has its exit code, and the help shows the table."""

from __future__ import annotations

from typing import Any

import pytest

from ctl import exits
from ctl.__main__ import main
from tests.fakes.control_api import ControlApi


def ended(status: str) -> dict[str, Any]:
    return {"id": "d-1", "environment": "dev", "status": status, "phases": [], "steps": []}


@pytest.mark.parametrize(
    ("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("ABORTED", 1), ("ROLLED_BACK", 4), ("WAITING_APPROVAL", 5)]
)
def test_a_followed_deployment_ends_with_the_code_of_its_outcome(shell: ControlApi, status: str, code: int) -> None:
    shell.answers = [(202, {"id": "d-1"}), (200, ended(status))]
    assert main(["deploy", "dev"]) == code


@pytest.mark.parametrize(("status", "code"), [(400, 3), (403, 3), (409, 3), (499, 3)])
def test_what_the_api_refuses_is_3(shell: ControlApi, status: int, code: int) -> None:
    shell.answers = [(status, {"error": {"code": "Conflict", "message": "busy", "holder": "d-0"}})]
    assert main(["deploy", "dev"]) == code


@pytest.mark.parametrize("line", ["deplyo dev", "deploy", "deploy dev --forse", "list --limit many", "config"])
def test_wrong_usage_is_2(shell: ControlApi, line: str) -> None:
    assert main(line.split()) == 2
    assert not shell.requests


def test_a_misspelt_command_or_option_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    main(["deplyo", "dev"])
    main(["deploy", "dev", "--forse"])
    text = capsys.readouterr().err
    assert "deploy" in text
    assert "--force" in text


def test_the_help_has_every_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"{code}  {words}"[:60] in text for code, words in exits.TABLE.items())


@pytest.mark.parametrize(("shell_name", "word"), [("bash", "complete"), ("zsh", "#compdef"), ("fish", "complete")])
def test_a_completion_script_is_printed(capsys: pytest.CaptureFixture[str], shell_name: str, word: str) -> None:
    assert main(["completion", shell_name]) == 0
    text = capsys.readouterr().out
    assert word in text
    assert "_PROXYCTL_COMPLETE" in text


def test_an_approval_away_from_a_terminal_needs_yes(shell: ControlApi) -> None:
    assert main(["approve", "d-1"]) == 2
    assert not shell.requests
    shell.answers = [(202, ended("RUNNING"))]
    assert main(["approve", "d-1", "--yes"]) == 0
    assert shell.requests[0].path == "/api/deployments/d-1/approve"
