"""How a rollout looks while it runs: a live table on a terminal, plain lines everywhere else."""

import sys
from collections.abc import Iterable
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ctl.shapes import Deployment, Row
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

    def show(self, deployment: Deployment) -> None: ...


class Lines:
    """One line whenever a phase starts, ends, or changes its text: for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last_lines: dict[str, str] = {}

    def show(self, deployment: Deployment) -> None:
        for phase in rows(deployment):
            if phase["status"] != "PENDING":
                self._write(phase["name"], text_of(phase))
        self._write("the question", question(deployment))
        self._out.flush()

    def _write(self, about: str, line: str) -> None:
        if line and self._last_lines.get(about) != line:
            self._last_lines[about] = line
            self._out.write(line + "\n")


class Board:
    """All phases in one table, redrawn in place, and below it the question to the person who watches."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, deployment: Deployment) -> None:
        self._live.update(board(deployment), refresh=True)


def watch(states: Iterable[Deployment], out: TextIO = sys.stdout) -> Deployment:
    """Show every state and return the last. Raises ValueError when there was none."""
    if out.isatty():
        console = Console(file=out)
        with Live(console=console, auto_refresh=False) as live:
            last = _show_all(states, Board(live))
    else:
        last = _show_all(states, Lines(out))
    if last is None:
        raise ValueError("a deployment has at least one state")
    return last


def _show_all(states: Iterable[Deployment], view: View) -> Deployment | None:
    last: Deployment | None = None
    for last in states:
        view.show(last)
    return last


def text_of(phase: Row) -> str:
    """`  7 validate_endpoints    SUCCEEDED   4.2 s  nine checks passed`."""
    number = f"{phase['number']:>3}" if phase["number"] else "  ·"
    duration = phase.get("duration_s")
    took = f"{duration:6.1f} s" if duration is not None else " " * 8
    return f"{number} {clean(phase['name']):<22} {phase['status']:<10}{took}  {note(phase)}".rstrip()


def board(deployment: Deployment) -> RenderableType:
    """The table, and the question when there is one."""
    text = question(deployment)
    return Group(table(deployment), Text(text, style=STYLES["WAITING_APPROVAL"])) if text else table(deployment)


def table(deployment: Deployment) -> Table:
    """One row a phase or step. All text is `Text`: rich would read a bracket in a plain string as its own markup."""
    parts = (deployment["id"], deployment["environment"], deployment["status"], f"{deployment.get('percent', 0)} %")
    drawn = Table(title=Text(clean("  ".join(parts))), title_justify="left", box=None, pad_edge=False)
    drawn.add_column("#", justify="right")
    drawn.add_column("phase")
    drawn.add_column("")
    drawn.add_column("s", justify="right")
    drawn.add_column("")
    for phase in rows(deployment):
        drawn.add_row(*_cells(phase))
    return drawn


def _cells(phase: Row) -> tuple[RenderableType, ...]:
    duration = phase.get("duration_s")
    return (
        str(phase["number"] or "·"),
        Text(clean(phase["name"])),
        Text(clean(phase["status"]), style=STYLES.get(phase["status"], "")),
        "" if duration is None else f"{duration:.1f}",
        Text(note(phase), overflow="ellipsis", no_wrap=True),
    )
