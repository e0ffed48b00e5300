"""How a rollout looks while it runs: a live table on a terminal, plain lines everywhere else."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

STYLES = {
    "PENDING": "dim",
    "RUNNING": "bold yellow",
    "SUCCEEDED": "green",
    "SKIPPED": "cyan",
    "FAILED": "bold red",
}


class View(Protocol):
    """Shows each state of a deployment in turn."""

    def show(self, deployment: Mapping[str, Any]) -> None: ...


class Lines:
    """One line whenever a phase begins to run, ends, or says something new: for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._said: dict[str, str] = {}

    def show(self, deployment: Mapping[str, Any]) -> None:
        for phase in rows(deployment):
            line = text_of(phase)
            if phase["status"] != "PENDING" and self._said.get(phase["name"]) != line:
                self._said[phase["name"]] = line
                self._out.write(line + "\n")
        self._out.flush()


class Board:
    """All phases at once, redrawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, deployment: Mapping[str, Any]) -> None:
        self._live.update(table(deployment), refresh=True)


def watch(states: Iterable[Mapping[str, Any]], out: TextIO = sys.stdout) -> dict[str, Any]:
    """Show every state; answers the last. Raises ValueError when there was none."""
    last: Mapping[str, Any] | None = None
    if out.isatty():
        console = Console(file=out)
        with Live(console=console, auto_refresh=False) as live:
            last = _show_all(states, Board(live))
    else:
        last = _show_all(states, Lines(out))
    if last is None:
        raise ValueError("a deployment has at least one state")
    return dict(last)


def _show_all(states: Iterable[Mapping[str, Any]], view: View) -> Mapping[str, Any] | None:
    last = None
    for last in states:
        view.show(last)
    return last


def rows(deployment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Phases and steps in the order in which they ran; those that have not yet come last."""
    everything = [*deployment.get("phases", []), *deployment.get("steps", [])]
    return sorted(everything, key=lambda row: (row.get("started_at") or "9", row["number"]))


def text_of(phase: Mapping[str, Any]) -> str:
    """`  7 validate_endpoints    SUCCEEDED   4.2 s  nine checks passed`."""
    number = f"{phase['number']:>3}" if phase["number"] else "  ·"
    duration = phase.get("duration_s")
    took = f"{duration:6.1f} s" if duration is not None else " " * 8
    return f"{number} {phase['name']:<22} {phase['status']:<10}{took}  {_note(phase)}".rstrip()


def _note(phase: Mapping[str, Any]) -> str:
    error = phase.get("error")
    if error:
        return f"{error.get('code', 'Error')}: {error.get('message', '')}"
    return str(phase.get("summary") or "")


def table(deployment: Mapping[str, Any]) -> Table:
    """The board."""
    title = f"{deployment['id']}  {deployment['environment']}  {deployment['status']}  {deployment.get('percent', 0)} %"
    board = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name, options in (
        ("#", {"justify": "right"}),
        ("phase", {}),
        ("", {}),
        ("s", {"justify": "right"}),
        ("", {}),
    ):
        board.add_column(name, **options)  # type: ignore[arg-type]
    for phase in rows(deployment):
        duration = phase.get("duration_s")
        board.add_row(
            str(phase["number"] or "·"),
            phase["name"],
            Text(phase["status"], style=STYLES.get(phase["status"], "")),
            "" if duration is None else f"{duration:.1f}",
            Text(_note(phase), overflow="ellipsis", no_wrap=True),
        )
    return board


def failure(deployment: Mapping[str, Any]) -> str:
    """Why a deployment did not succeed, with the remedy, in one or two lines."""
    failed = [row for row in rows(deployment) if row["status"] == "FAILED"]
    # The phase's own error is the cause; what the record says afterwards may only sum up.
    error: Mapping[str, Any] = (failed[0].get("error") if failed else None) or deployment.get("error") or {}
    phase = failed[0]["name"] if failed else deployment.get("current_phase") or "no phase"
    cause = f"{error.get('code', 'unknown')}: {error.get('message', 'no cause recorded')}"
    remedy = error.get("remedy")
    line = f"{deployment['status']} in {phase}: {cause}"
    return f"{line}\n  remedy: {remedy}" if remedy else line
