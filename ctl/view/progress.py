"""How a rollout looks while it runs: a live board on a terminal, a line a phase or a JSON line an event elsewhere."""

import json
import sys
from collections.abc import Iterable
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live

from ctl.shapes import Deployment, Row
from ctl.view.board import Board, shown_rows
from ctl.view.events import happened
from ctl.words import clean, failure, note, question, rows

__all__ = ["failure", "rows", "text_of", "watch"]

_ENDED = ("SUCCEEDED", "SKIPPED", "FAILED")


class View(Protocol):
    """Shows each state of a deployment in turn."""

    def show(self, deployment: Deployment) -> None: ...


class Lines:
    """One line a phase, when it has ended: for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._written: set[str] = set()

    def show(self, deployment: Deployment) -> None:
        for phase in shown_rows(deployment):
            if phase["status"] in _ENDED:
                self._write(phase["name"], text_of(phase))
        if question(deployment):
            self._write("the question", question(deployment))
        self._out.flush()

    def _write(self, about: str, line: str) -> None:
        if about not in self._written:
            self._written.add(about)
            self._out.write(line + "\n")


class JsonLines:
    """One JSON object a line for everything that happens; ASCII, so that no text acts on a terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last: Deployment | None = None

    def show(self, deployment: Deployment) -> None:
        for event in happened(self._last, deployment):
            self._out.write(json.dumps(event, default=str) + "\n")
        self._out.flush()
        self._last = deployment


def watch(states: Iterable[Deployment], out: TextIO = sys.stdout, *, as_json: bool = False) -> Deployment:
    """Show every state and return the last. Raises ValueError when there was none."""
    if as_json or not out.isatty():
        last = _show_all(states, JsonLines(out) if as_json else Lines(out))
    else:
        with Live(console=Console(file=out), refresh_per_second=4) as live:
            last = _show_all(states, Board(live))
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
