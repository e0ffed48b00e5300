"""`secret set`: a key alone changes nothing but the key, and no value is ever printed."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from ctl import exits
from ctl.__main__ import main
from tests.fakes.control_api import ControlApi

KEY = "sk-test-00000000000000000000"
STORED = {
    "environment": "dev",
    "secret_arn": "arn:aws:secretsmanager:x",
    "version_id": "v-2",
    "models": ["fast"],
    "client_keys": ["team-a"],
    "changed": ["api_key"],
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(shell: ControlApi, monkeypatch: pytest.MonkeyPatch, stdin: str, *answers: tuple[int, Any]) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    shell.answers = list(answers or [(200, STORED)])
    return main(["secret", "set", "dev"])


@pytest.mark.parametrize("stdin", [KEY, f"{KEY}\n", f"  {KEY}\r\n"])
def test_a_key_on_standard_input_changes_the_key_alone(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stdin: str
) -> None:
    assert run(shell, monkeypatch, stdin) == 0
    assert [(request.method, request.json) for request in shell.requests] == [("PATCH", {"api_key": KEY})]
    output = capsys.readouterr()
    assert "changed      api_key\n" in output.out
    assert "client keys  team-a\n" in output.out
    assert KEY not in output.out + output.err


def test_a_key_at_the_prompt_changes_the_key_alone(shell: ControlApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: KEY)
    shell.answers = [(200, STORED)]
    assert main(["secret", "set", "dev"]) == 0
    assert [(request.method, request.json) for request in shell.requests] == [("PATCH", {"api_key": KEY})]


def test_the_first_key_makes_the_secret(shell: ControlApi, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = (404, {"error": {"code": "NotFound", "message": "no secret yet"}})
    assert run(shell, monkeypatch, KEY, missing, (200, STORED)) == 0
    assert [request.method for request in shell.requests] == ["PATCH", "PUT"]
    assert shell.requests[1].json == {"schema": 1, "api_key": KEY, "models": {}}


def test_any_other_refusal_stores_nothing_instead(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A PUT after a refused PATCH would wipe what the person wanted to keep."""
    refused = (400, {"error": {"code": "SecretMalformed", "message": "api_key", "remedy": "Correct it."}})
    assert run(shell, monkeypatch, KEY, refused) == 3
    assert [request.method for request in shell.requests] == ["PATCH"]
    assert "Correct it." in capsys.readouterr().err


def test_json_on_standard_input_replaces_the_whole(shell: ControlApi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(shell, monkeypatch, '{"schema": 1, "api_key": "sk-x", "models": {}}') == 0
    request = shell.requests[0]
    assert (request.method, request.json) == ("PUT", {"schema": 1, "api_key": "sk-x", "models": {}})


def test_a_proxy_that_becomes_open_to_anybody_is_reported(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    warning = "The secret lists no client keys any more: from now on the proxy serves everybody who reaches it."
    opened = STORED | {"client_keys": [], "changed": ["api_key", "client_keys"], "warning": warning}
    assert run(shell, monkeypatch, '{"schema": 1}', (200, opened)) == 0
    assert capsys.readouterr().err == f"proxyctl: warning: {warning}\n"


@pytest.mark.parametrize(
    "stdin", ["", "\n", "@/etc/passwd", f"{KEY} and more", "sk-\u00fc", "{", "[1]", '"sk-x"', "a\x00b"]
)
def test_what_is_neither_a_key_nor_an_object_is_refused_without_being_printed(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stdin: str
) -> None:
    assert run(shell, monkeypatch, stdin) == 2
    assert not shell.requests
    assert KEY not in capsys.readouterr().err


def test_no_answer_at_the_prompt_is_no_traceback(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", ended)
    assert main(["secret", "set", "dev"]) == 2
    assert "no key was entered" in capsys.readouterr().err


@pytest.mark.parametrize("stdin", [f"\ufeff{KEY}\n", '\ufeff{"schema": 1, "api_key": "x"}'])
def test_a_byte_order_mark_on_standard_input_is_read_over(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch, stdin: str
) -> None:
    assert run(shell, monkeypatch, stdin) == 0
    assert shell.requests[0].json in ({"api_key": KEY}, {"schema": 1, "api_key": "x"})


def test_a_first_key_replaces_no_secret_that_somebody_stored_meanwhile(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = (404, {"error": {"code": "NotFound", "message": "no secret yet"}})
    exists = (409, {"error": {"code": "SecretExists", "message": "has one"}})
    assert run(shell, monkeypatch, KEY, missing, exists) == exits.REFUSED
    assert shell.requests[1].headers["if-none-match"] == "*"


def command(shell: ControlApi, *arguments: str, answer: Any) -> int:
    shell.answers = [(200, answer)]
    return main(["secret", *arguments])


def test_flags_are_sent_and_an_emergency_says_when_users_have_it(
    shell: ControlApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(KEY))
    shell.answers = [(200, STORED | {"state": "LIVE", "users_have_it_within_s": 300})]
    assert main(["secret", "set", "dev", "--now", "--reason", "leaked key"]) == 0
    assert shell.requests[0].path.endswith("/secret?now=true&reason=leaked%20key")
    assert "users have it within 300 s" in capsys.readouterr().out


def test_show_prints_fingerprints(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    shown = {"secret_arn": "arn:x", "version_id": "v1", "fields": {"api_key": "24f15c16c815"}, "models": ["fast"]}
    assert command(shell, "show", "dev", answer=shown) == 0
    assert "api_key      sha256 24f15c16c815" in capsys.readouterr().out


def test_history_marks_the_current_version(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    versions = [{"version_id": "v2", "stored_at": "t", "current": True, "pending": False, "deployments": ["d-1"]}]
    assert command(shell, "history", "dev", answer={"versions": versions}) == 0
    assert capsys.readouterr().out == "v2  t  current  d-1\n"


def test_rollback_names_a_version(shell: ControlApi) -> None:
    assert command(shell, "rollback", "dev", "--to", "v1", "--no-follow", answer=STORED) == 0
    assert shell.requests[0].json == {"version_id": "v1"}
