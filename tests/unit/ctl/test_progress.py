"""A rollout is printed phase by phase, each state once."""

from __future__ import annotations

import io
from typing import Any, cast

from rich.console import Console

from ctl.shapes import Deployment, Row
from ctl.view import board, progress


def phase(number: int, name: str, status: str, **more: Any) -> Row:
    row = {"number": number, "name": name, "status": status, "started_at": None, "duration_s": None, **more}
    return cast(Row, row)


def changed(row: Row, **more: Any) -> Row:
    return cast(Row, {**row, **more})


def state(status: str, *phases: Row, **more: Any) -> Deployment:
    deployment = {"id": "d-1", "environment": "dev", "status": status, "phases": list(phases), "steps": []}
    return cast(Deployment, deployment | more)


RUNNING = phase(1, "preflight", "RUNNING", started_at="2026-01-01T00:00:01Z")
DONE = changed(RUNNING, status="SUCCEEDED", duration_s=1.25, summary="all permissions are there")
WAITING = phase(2, "prepare_secret", "PENDING")


def test_a_phase_is_one_line_when_it_has_ended() -> None:
    out = io.StringIO()
    states = [state("RUNNING", RUNNING, WAITING)] * 3 + [state("SUCCEEDED", DONE, WAITING)]
    last = progress.watch(states, out)
    assert last["status"] == "SUCCEEDED"
    assert [line.split()[:3] for line in out.getvalue().splitlines()] == [
        ["1", "preflight", "SUCCEEDED"],
    ]


def test_a_line_says_how_long_it_took_and_what_was_done() -> None:
    assert progress.text_of(DONE).split(maxsplit=5)[3:] == ["1.2", "s", "all permissions are there"]


def test_a_failed_phase_is_printed_with_its_error() -> None:
    failed = changed(DONE, status="FAILED", error={"code": "SloMissed", "message": "p99 3 s"})
    assert progress.text_of(failed).endswith("SloMissed: p99 3 s")


def test_steps_stand_where_they_ran() -> None:
    lock = phase(0, "acquire_lock", "SUCCEEDED", started_at="2026-01-01T00:00:00Z")
    shown = state("RUNNING", WAITING, RUNNING, steps=[lock])
    assert [row["name"] for row in progress.rows(shown)] == ["acquire_lock", "preflight", "prepare_secret"]


def test_a_failure_names_the_first_phase_that_failed_its_cause_and_the_remedy() -> None:
    error = {"code": "AccessDenied", "message": "lambda:GetAlias", "remedy": "Add it."}
    failed = changed(RUNNING, status="FAILED", error=error)
    later = phase(0, "roll_back", "FAILED", started_at="2026-01-01T00:00:09Z", error={"code": "Other", "message": "y"})
    text = progress.failure(state("FAILED", failed, later, error={"code": "Sum", "message": "of it"}))
    assert text == "FAILED in preflight: AccessDenied: lambda:GetAlias\n  remedy: Add it."


def test_a_failure_outside_any_phase_takes_the_deployments_own_error() -> None:
    text = progress.failure(state("ABORTED", DONE, current_phase="bake", error={"code": "Aborted", "message": "by me"}))
    assert text == "ABORTED in bake: Aborted: by me"


WAITS = {"approval": {"until": "2026-01-02T00:00:00+00:00"}}


def drawn(shown: Deployment) -> str:
    """The board as a wide terminal shows it."""
    console = Console(file=io.StringIO(), width=160, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(board.board(shown))
    return captured.get()


def test_what_waits_for_a_person_says_what_to_type_until_when() -> None:
    shown = state("WAITING_APPROVAL", DONE, **WAITS)
    for text in (drawn(shown), _lines([shown, shown])):
        assert text.count("-m ctl approve d-1") == 1
        assert text.count("-m ctl abort d-1") == 1
        assert "2026-01-02" in text


def test_nothing_is_asked_of_a_person_while_it_runs() -> None:
    assert "approve" not in drawn(state("RUNNING", DONE)) + _lines([state("RUNNING", DONE)])


def _lines(states: list[Deployment]) -> str:
    out = io.StringIO()
    progress.watch(states, out)
    return out.getvalue()


def test_text_from_outside_acts_on_no_terminal() -> None:
    """Neither as an escape sequence, nor as rich's markup, nor as a line of its own."""
    nasty = changed(DONE, name="pre[bold]flight", summary="ok\x1b[2J\r\nFAKE \u202egnp")
    for text in (drawn(state("SUCCEEDED", nasty, environment="dev\n")), _lines([state("SUCCEEDED", nasty)])):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "pre[bold]flight" in text
        assert not any(line.startswith("FAKE") for line in text.splitlines())
