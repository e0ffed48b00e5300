"""The command line: what each command sends, what it prints, and with which code it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctl.__main__ import main
from tests.fakes.control_api import ControlApi

ROOT = Path(__file__).resolve().parents[3]
PHASE = {
    "number": 1,
    "name": "preflight",
    "status": "SUCCEEDED",
    "started_at": "2026-01-01T10:00:01.000+00:00",
    "duration_s": 1.5,
    "summary": "all is there",
    "evidence": {"secret of the evidence": 1},
}
ERROR = {"code": "SloMissed", "message": "p99 3 s", "remedy": "Make it faster."}


def deployment(status: str = "SUCCEEDED", *phases: dict[str, Any], **more: Any) -> dict[str, Any]:
    shown = {"id": "d-1", "environment": "dev", "action": "deploy", "status": status, "steps": [], "caller": "arn:x"}
    return shown | {"created_at": "2026-01-01T10:00:00.000+00:00", "phases": list(phases or [PHASE])} | more


def run(shell: ControlApi, line: str, *answers: Any) -> int:
    shell.answers = [answer if isinstance(answer, tuple) else (200, answer) for answer in answers]
    return main(line.split())


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("deploy dev", {"action": "deploy"}),
        ("deploy dev --action cleanup --remove-secret", {"action": "cleanup", "options": {"remove_secret": True}}),
        (
            "deploy dev --approval --reason why",
            {"action": "deploy", "options": {"approval": "required", "reason": "why"}},
        ),
        ("deploy dev --expected-plan abc", {"action": "deploy", "options": {"expected_plan": "abc"}}),
        ('deploy dev --config {"memory_mb":256}', {"action": "deploy", "config": {"memory_mb": 256}}),
        ("plan dev --wait", {"action": "plan", "options": {"if_busy": "wait"}}),
        ("rollback dev --to 7", {"action": "rollback", "options": {"rollback_to": "7"}}),
        ("rollback dev", {"action": "rollback"}),
        ("revalidate dev --heal", {"action": "revalidate", "options": {"heal": True}}),
        ('cleanup dev --options {"force":true}', {"action": "cleanup", "options": {"force": True}}),
        ("drill dev --reason night", {"action": "drill", "options": {"reason": "night"}}),
    ],
)
def test_each_verb_is_one_post(shell: ControlApi, line: str, body: dict[str, Any]) -> None:
    assert run(shell, f"{line} --no-follow", {"id": "d-1"}) == 0
    assert (shell.requests[0].method, shell.requests[0].path) == ("POST", "/api/deployments")
    assert shell.requests[0].json == {"environment": "dev"} | body


def test_what_is_given_twice_is_refused(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, 'plan dev --reason a --options {"reason":"b"}') == 2
    assert "both set reason" in capsys.readouterr().err
    assert not shell.requests


def test_a_plan_ends_with_its_text_and_what_holds_a_deploy_to_it(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = {"text": "~ deploy_stack: would run\n    changes: 1", "digest": "abc"}
    step = PHASE | {"number": 0, "name": "make_plan", "evidence": evidence}
    assert run(shell, "plan dev", {"id": "d-1"}, deployment(steps=[step])) == 0
    out = capsys.readouterr().out
    assert "~ deploy_stack: would run\n    changes: 1\nexpected_plan abc\n" in out


def test_a_rollout_that_was_rolled_back_ends_with_4_its_cause_and_its_remedy(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = deployment("ROLLED_BACK", PHASE | {"status": "FAILED", "error": ERROR})
    assert run(shell, "deploy dev", {"id": "d-1"}, failed) == 4
    assert "ROLLED_BACK in preflight: SloMissed: p99 3 s\n  remedy: Make it faster." in capsys.readouterr().err


def test_show_is_a_table_with_times_errors_and_remedies(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    failed = PHASE | {"number": 9, "name": "load_test", "status": "FAILED", "error": ERROR}
    assert run(shell, "show d-1", deployment("FAILED", PHASE, failed, error=ERROR, duration_s=7.25)) == 0
    out = capsys.readouterr().out
    assert "d-1  dev  deploy  FAILED" in out
    assert "1  preflight             SUCCEEDED  10:00:01     1.5 s  all is there" in out
    assert "SloMissed: p99 3 s\n       remedy: Make it faster." in out
    assert out.count("SloMissed") == 1, "the deployment's own error is its phase's"
    assert "secret of the evidence" not in out


@pytest.mark.parametrize(("status", "shows"), [("RUNNING", True), ("FAILED", False)])
def test_show_leaves_out_what_a_deployment_that_ended_never_ran(
    status: str, shows: bool, shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    never = PHASE | {"number": 12, "name": "clean_up", "status": "PENDING", "started_at": None}
    assert run(shell, "show d-1", deployment(status, PHASE, never)) == 0
    assert ("clean_up" in capsys.readouterr().out) == shows


def test_a_list_says_when_without_milliseconds_and_speaks_of_flags(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    at, summary = "2026-01-01T10:00:00.123+00:00", "Secret: kept, as options.remove_secret was not set"
    listed = deployment(created_at=at, summary=summary)
    assert run(shell, "list", {"deployments": [listed]}) == 0
    line = "2026-01-01T10:00:00Z  d-1  dev  deploy  SUCCEEDED  Secret: kept, as --remove-secret was not set\n"
    assert capsys.readouterr().out == line


def test_show_takes_rows_as_the_api_writes_them(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    """`error` is null in a row that has none, and `show` must not stumble over it."""
    error = {"code": "SloMissed", "message": "p99 is too high", "remedy": "Lower it."}
    good = {"number": 1, "name": "preflight", "status": "SUCCEEDED", "evidence": {}, "error": None, "summary": "OK"}
    bad = good | {"number": 9, "name": "load_test", "status": "FAILED", "error": error}
    shown = {"id": "d-1", "environment": "dev", "action": "deploy", "status": "FAILED", "phases": [good, bad]}
    shell.answers = [(200, shown | {"steps": [good | {"number": 0}], "error": error, "config": {}, "options": {}})]
    assert main(["show", "d-1"]) == 0
    assert "remedy: Lower it." in capsys.readouterr().out


def test_show_as_json_is_what_the_api_said(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, "show d-1 --json", deployment()) == 0
    assert json.loads(capsys.readouterr().out) == deployment()


def test_show_tells_what_a_waiting_deployment_asks(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shell, "show d-1", deployment("WAITING_APPROVAL", approval={"until": "2026-01-02"})) == 0
    assert "-m ctl approve d-1" in capsys.readouterr().out


def test_a_follower_that_stops_learns_how_to_follow_again(
    shell: ControlApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hurried:
        def __init__(self, seconds: float) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr("ctl.client.time.sleep", Hurried)
    assert run(shell, "show d-1 --follow", deployment("RUNNING")) == 130
    err = capsys.readouterr().err
    assert "-m ctl show d-1 --follow" in err


def test_deployments_is_another_word_for_list(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    page = {"deployments": [deployment(summary="Version 2 serves all traffic")], "cursor": None}
    assert run(shell, "list dev --status FAILED", page) == run(shell, "deployments dev --status FAILED", page) == 0
    assert shell.requests[0].path == shell.requests[1].path == "/api/deployments?environment=dev&status=FAILED"
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.split()[1:5] == ["d-1", "dev", "deploy", "SUCCEEDED"]


def test_a_name_with_a_line_break_stays_one_line(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "environments", {"environments": [{"name": "dev\n\x1b[2J", "status": "NEW", "live": None}]})
    run(shell, "list", {"deployments": [deployment(environment="dev\n")]})
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 2
    assert "\x1b" not in out


def test_an_incident_is_shown_with_its_drift_as_a_diff_and_its_history(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    at = "2026-01-01T10:00:00.000+00:00"
    rows = [
        {"where": "alarm a", "expected": "there", "found": "gone", "healed": True, "remedy": ""},
        {"where": "live", "expected": "version 3", "found": "version 4", "healed": False, "remedy": "Roll back."},
    ]
    entry = {"at": at, "action": "revalidate", "outcome": "FAILED", "deployment_id": "d-1", "drift": rows}
    incident = {"opened_at": at, "opened_by": "d-1", "why": "moved", "drift": rows[1:], "closed_at": None}
    assert run(shell, "incidents dev d-1", incident | {"history": [entry]}) == 0
    assert shell.requests[-1].path == "/api/environments/dev/incidents/d-1"
    out = capsys.readouterr().out
    for part in ("opened  2026-01-01 10:00:00Z by d-1: moved", "open ", "- version 3\n", "+ version 4\n", "(put back)"):
        assert part in out
    assert out.count("remedy: Roll back.") == 2
    closed = incident | {"closed_at": at, "closed_by": "d-2", "how": "Revalidate passed"}
    run(shell, "incidents dev d-1", closed | {"history": []})
    assert "closed  2026-01-01 10:00:00Z by d-2: Revalidate passed" in capsys.readouterr().out
    run(shell, "incidents dev", {"incidents": [incident, closed], "cursor": None})
    assert [line.split()[3:5] for line in capsys.readouterr().out.splitlines()] == [
        ["open", "d-1"],
        ["2026-01-01", "10:00:00Z"],
    ]
    run(shell, "history dev --limit 5", {"history": [entry], "cursor": None})
    assert "+ gone" in capsys.readouterr().out


LINES = [
    {"what": "Lambdas", "amount": 20.5, "unit": "GB-s", "usd": 0.00027, "basis": "measured"},
    {"what": "state machine", "amount": 180, "unit": "transitions", "usd": 0.0045, "basis": "derived"},
    {"what": "boards", "amount": 1, "unit": "dashboards", "usd": 0.0, "basis": "derived"},
]
BILL = {
    "recorded": "recorded",
    "usd": 0.00477,
    "region": "eu-central-1",
    "prices_of": "2026-11",
    "lines": LINES,
    "by_phase": {"preflight": 0.001, "bake": 0.002},
    "remarks": ["The prices are more than a year old: they are of 2026-11."],
}
COSTS = {
    "environment": "dev",
    "region": "eu-central-1",
    "prices_of": "2026-11",
    "remarks": [],
    "at_rest": {"usd": 1.42, "lines": LINES, "nights": "d-7"},
    "control_plane": {"usd": 0.02, "lines": [], "nights": None},
    "requests": {
        "serverless": {"monthly_usd": 0, "per_million_usd": 11.5, "monthly": [], "per_million": LINES},
        "fargate": {"monthly_usd": 45.4, "per_million_usd": 0.63, "monthly": [], "per_million": []},
        "equal_at": 4_193_389,
        "request_ms": 1000.0,
        "basis": "estimated",
    },
    "rollouts": {"days": 30, "count": 3, "usd": 0.03, "by_action": {"deploy": 0.03}, "unrecorded": 1},
    "last_rollout": {"deployment_id": "d-9", "recorded": "not recorded", "usd": None},
}


def test_what_a_deployment_cost_is_shown_line_by_line_the_dearest_first(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment_id = f"d-{'0a' * 10}"
    assert run(shell, f"costs {deployment_id}", deployment(cost=BILL)) == 0
    assert shell.requests[-1].path == f"/api/deployments/{deployment_id}"
    printed = capsys.readouterr().out
    assert "this rollout cost $0.0048, at list price of eu-central-1, 2026-11" in printed
    assert printed.index("state machine") < printed.index("Lambdas")
    assert printed.index("bake") < printed.index("preflight")
    assert "more than a year old" in printed
    assert "boards" not in printed


@pytest.mark.parametrize("answer", [{"cost": {"recorded": "not recorded", "lines": [], "by_phase": {}}}, {}])
def test_a_deployment_of_an_earlier_version_has_no_figure(
    answer: dict[str, Any], shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, f"costs d-{'0' * 20}", deployment(**answer))
    printed = capsys.readouterr().out
    assert "this rollout cost not recorded" in printed
    assert "$" not in printed


def test_what_an_environment_costs_is_shown_beside_fargate(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shell, "costs dev", COSTS) == 0
    assert shell.requests[-1].path == "/api/environments/dev/costs"
    printed = capsys.readouterr().out
    for text in (
        "at rest (nights as d-7 measured): $1.42 a month",
        "for all environments: $0.02 a month",
        "a million requests (1,000 ms each, estimated): $11.50",
        "$45.40 a month and $0.63 a million",
        "Fargate is cheaper from 4,193,389 requests a month",
        "3 deployments in 30 days: $0.0300",
        "1 of them not recorded",
        "the last one, d-9: not recorded",
    ):
        assert text in printed
    run(shell, "costs dev --json", COSTS)
    assert json.loads(capsys.readouterr().out) == COSTS


def test_a_deployment_is_shown_with_what_it_cost(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "show d-1", deployment(cost=BILL))
    assert "cost $0.0048, at list price" in capsys.readouterr().out


def test_an_environment_is_shown_with_its_lock_its_incident_and_its_figures(
    shell: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    release = {"version": "3", "at": "2026-01-01T10:00:00.000+00:00", "deployment_id": "d-3"}
    dora = {"days": 30, "changes": 4, "failed": 1, "deployments_per_day": 0.1, "lead_time_s": 60.0}
    figures = dora | {"change_failure_rate": 0.25, "time_to_restore_s": None}
    entry = {"at": release["at"], "action": "deploy", "outcome": "SUCCEEDED", "deployment_id": "d-3", "why": "weekly"}
    shown = {"name": "dev", "status": "LIVE", "live": release, "lock": {"deployment_id": "d-4"}, "dora": figures}
    incident = {"opened_at": release["at"], "why": "the alias was moved"}
    assert run(shell, "environments dev", shown | {"incident": incident, "history": [entry]}) == 0
    out = capsys.readouterr().out
    for part in (
        "version 3 since 2026-01-01 10:00:00Z",
        "locked by   d-4",
        "the alias was moved",
        "rate 25 %",
        "(weekly)",
    ):
        assert part in out


def test_a_night_is_told_with_whom_it_found_broken(shell: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    night = {"began_at": "2026-01-01T02:00:00.000+00:00", "good": 198, "drifted": 1, "lost": 1, "failed": 0}
    which = {"drifted": {"dev": "d-7"}, "lost": {"old": ""}}
    assert run(shell, "nights", {"nights": [night | {"which": which}]}) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-01-01 02:00:00Z  198 good, 1 drifted, 1 lost",
        "  drifted  dev  d-7",
        "  lost     old  not started",
    ]


@pytest.mark.parametrize("url", ["nonsense", "http://[", "http://example.com/api"])
def test_an_address_that_is_none_is_one_line_and_2(
    shell: ControlApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CONTROL_API_URL", url)
    assert run(shell, "list") == 2
    assert capsys.readouterr().err.startswith("proxyctl: CONTROL_API_URL ")


def test_a_config_file_that_cannot_be_read_says_so(
    shell: ControlApi, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(shell, f"deploy dev --config @{tmp_path}/none") == 2
    assert f"--config: {tmp_path}/none cannot be read: No such file" in capsys.readouterr().err
    (tmp_path / "half").write_text("{")
    assert run(shell, f"deploy dev --config @{tmp_path}/half") == 2
    assert "is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"memory_mb": 256, "memory_mb": 512}', "memory_mb"),
        ('{"alarms": {"errors": 1, "errors": 2}}', "alarms.errors"),
        ('{"notify": [{}, {"a": 1, "a": 1}]}', "notify[1].a"),
    ],
)
def test_a_field_that_stands_twice_in_json_is_refused_before_it_is_sent(
    shell: ControlApi, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, field: str
) -> None:
    """The API could not see it: an object has each field once."""
    (tmp_path / "twice").write_text(text)
    assert run(shell, f"deploy dev --config @{tmp_path}/twice") == 2
    assert f"{field} stands twice" in capsys.readouterr().err
    assert not shell.requests


def test_a_reader_that_has_enough_is_no_failure(shell: ControlApi) -> None:
    """`list | head -1`: head closes the pipe before all is written."""
    shell.answers = [(200, {"deployments": [deployment(summary="x" * 500)] * 400})]
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "ctl", "list"], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(write)
    assert (process.returncode, process.stderr) == (0, "")


def test_without_a_command_it_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    words = capsys.readouterr().out.split()
    assert {
        "deploy",
        "plan",
        "rollback",
        "revalidate",
        "cleanup",
        "drill",
        "console",
        "watch",
        "apply",
        "doctor",
    } <= set(words)
