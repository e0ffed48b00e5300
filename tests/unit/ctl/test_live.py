"""The live view: the load curve, the traffic bar, the stack's resources; and the same as JSON lines."""

from __future__ import annotations

import io
import json
from typing import Any, cast

import pytest
from rich.console import Console

from ctl.shapes import Deployment, Load
from ctl.view import board, curve, progress


def load(second: int, sent: int, **more: Any) -> Load:
    return cast(Load, {"second": second, "sent": sent, "failed": 0, "p50_ms": 10.0, "p99_ms": 40.0, **more})


def state(name: str, status: str, evidence: dict[str, Any] | None = None, **more: Any) -> Deployment:
    row = {
        "number": 9,
        "name": name,
        "status": status,
        "started_at": "2026-01-01T00:00:01Z",
        "evidence": evidence or {},
    }
    head = {"id": "d-1", "environment": "dev", "status": "RUNNING", "phases": [row], "steps": []}
    return cast(Deployment, head | more)


def drawn(shown: Deployment, samples: tuple[curve.Sample, ...] = ()) -> str:
    console = Console(file=io.StringIO(), width=160, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(board.board(shown, samples))
    return captured.get()


def test_the_rate_is_what_was_sent_since_the_reading_before() -> None:
    first, second = load(1, 30), load(3, 90, failed=4)
    samples = curve.extended(curve.extended((), None, first), first, second)
    assert [(sample.rate, sample.failed) for sample in samples] == [(30.0, 0), (30.0, 4)]


def test_a_reading_that_is_not_newer_adds_no_sample() -> None:
    reading = load(2, 60)
    samples = curve.extended((), None, reading)
    assert curve.extended(samples, reading, reading) == samples


@pytest.mark.parametrize(
    ("values", "picture"),
    [([], ""), ([0.0, 0.0], "▁▁"), ([0.0, 50.0, 100.0], "▁▅█"), ([None, 1.0], " █"), ([5.0] * 99, "█" * curve.WIDTH)],
)
def test_a_picture_is_scaled_to_its_highest_value(values: list[float | None], picture: str) -> None:
    assert curve.picture(values) == picture


@pytest.mark.parametrize(("percent", "filled"), [(0, 0), (10, 4), (50, 20), (100, 40), (250, 40), (-1, 0)])
def test_the_traffic_bar_is_as_long_as_the_share(percent: int, filled: int) -> None:
    assert curve.traffic(percent) == "█" * filled + "░" * (40 - filled)


def test_a_running_load_test_shows_its_curve() -> None:
    text = drawn(state("load_test", "RUNNING"), curve.extended((), None, load(1, 30)))
    for part in ("requests/s", "30.0", "p50", "10 ms", "p99", "40 ms", "errors"):
        assert part in text


def test_a_running_shift_shows_where_the_traffic_goes() -> None:
    text = drawn(state("shift_traffic", "RUNNING", {"percent": 50, "version": "4", "from_version": "3"}))
    assert "version 4" in text
    assert "50 %, 50 % on 3" in text


def test_a_running_stack_shows_its_resources_and_what_ended_is_not_repeated() -> None:
    evidence = {"resources": {"Function": "CREATE_COMPLETE", "Api": "CREATE_IN_PROGRESS"}}
    text = drawn(state("deploy_stack", "RUNNING", evidence))
    assert "1 of 2 resources done" in text
    assert "CREATE_IN_PROGRESS" in text
    assert "CREATE_IN_PROGRESS" not in drawn(state("deploy_stack", "SUCCEEDED", evidence))


def test_every_event_is_one_json_line_and_is_written_once() -> None:
    shift = {"percent": 10, "version": "4", "from_version": "3"}
    out = io.StringIO()
    states = [
        state("load_test", "RUNNING", load=load(1, 30)),
        state("load_test", "RUNNING", load=load(1, 30)),
        state("load_test", "SUCCEEDED"),
        state("shift_traffic", "RUNNING", shift),
        cast(Deployment, {**state("shift_traffic", "SUCCEEDED", shift | {"percent": 100}), "status": "SUCCEEDED"}),
    ]
    progress.watch(states, out, as_json=True)
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(event["event"], event.get("status") or event.get("percent")) for event in events] == [
        ("phase", "RUNNING"),
        ("load", None),
        ("deployment", "RUNNING"),
        ("phase", "SUCCEEDED"),
        ("phase", "RUNNING"),
        ("traffic", 10),
        ("phase", "SUCCEEDED"),
        ("traffic", 100),
        ("deployment", "SUCCEEDED"),
    ]
    assert all(event["deployment"] == "d-1" for event in events)
