"""How a rollout looks while it runs: a live table on a terminal, plain lines everywhere else."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ctl.words import clean, failure, note, question, rows

__all__ = ["STYLES", "failure", "rows", "table", "text_of", "watch"]

STYLES = {
    "PENDING": "dim",
    "RUNNING": "bold yellow",
    "WAITING_APPROVAL": "bold magenta",
    "SUCCEEDED": "green",
    "SKIPPED": "cyan",
    "FAILED": "bold red",
    "ROLLED_BACK": "bold red",
    "ABORTED": "bold red",
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
            if phase["status"] != "PENDING":
                self._say(phase["name"], text_of(phase))
        self._say("the question", question(deployment))
        self._out.flush()

    def _say(self, about: str, line: str) -> None:
        if line and self._said.get(about) != line:
            self._said[about] = line
            self._out.write(line + "\n")


class Board:
    """All phases at once, redrawn in place, and below them what is asked of the person who looks on."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, deployment: Mapping[str, Any]) -> None:
        self._live.update(board(deployment), refresh=True)


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


def text_of(phase: Mapping[str, Any]) -> str:
    """`  7 validate_endpoints    SUCCEEDED   4.2 s  nine checks passed`."""
    number = f"{phase['number']:>3}" if phase["number"] else "  ·"
    duration = phase.get("duration_s")
    took = f"{duration:6.1f} s" if duration is not None else " " * 8
    return f"{number} {clean(phase['name']):<22} {phase['status']:<10}{took}  {note(phase)}".rstrip()


def board(deployment: Mapping[str, Any]) -> RenderableType:
    """The table, and the question when there is one."""
    asked = question(deployment)
    return Group(table(deployment), Text(asked, style=STYLES["WAITING_APPROVAL"])) if asked else table(deployment)


def table(deployment: Mapping[str, Any]) -> Table:
    """One row a phase or step. All text is `Text`: rich would read a bracket in a plain string as its own markup."""
    percent = f"{deployment.get('percent', 0)} %"
    title = clean("  ".join(map(str, (deployment["id"], deployment["environment"], deployment["status"], percent))))
    shown = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    shown.add_column("#", justify="right")
    shown.add_column("phase")
    shown.add_column("")
    shown.add_column("s", justify="right")
    shown.add_column("")
    for phase in rows(deployment):
        duration = phase.get("duration_s")
        shown.add_row(
            str(phase["number"] or "·"),
            Text(clean(phase["name"])),
            Text(clean(phase["status"]), style=STYLES.get(phase["status"], "")),
            "" if duration is None else f"{duration:.1f}",
            Text(note(phase), overflow="ellipsis", no_wrap=True),
        )
    return shown
