"""Gives the table another format, some pages of items a call."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain.aws.table_items import FormatState
from chalicelib.domain.errors import PhaseFailed
from chalicelib.ports import Aws

from . import table_format

MIGRATE = "migrate"  # key of the event
PAGES, ITEMS = 10, 200  # of one call: some seconds, also where most of them change


@dataclass(frozen=True, slots=True)
class Task:
    """to: the format."""

    to: int


@dataclass(frozen=True, slots=True)
class Progress:
    """changed: items that this call has given another shape."""

    done: bool
    format: int
    changed: int


def migrate(task: Task, aws: Aws) -> Progress:
    """The next pages on the way to a format; it goes on where an earlier call stopped, whichever version made it.

    Raises PhaseFailed (TableFormatUnknown) for a format that this version does not know.
    """
    state = aws.table_format.read()
    if not (table_format.knows(task.to) and table_format.knows(max(state.format, state.moving_to))):
        raise PhaseFailed(
            f"the table has format {max(state.format, state.moving_to)} and shall have {task.to}; this version knows "
            f"formats up to {table_format.FORMAT}",
            code="TableFormatUnknown",
            remedy="Let the newer version migrate it: upgrade to it first.",
        )
    if state.format == task.to and not state.moving_to:
        return Progress(True, task.to, 0)
    return _move(_heading(state, task.to), task.to, aws)


def _heading(state: FormatState, to: int) -> FormatState:
    """The state with the direction of this migration; one that turns round begins at the first item."""
    if state.moving_to == to:
        return state
    # Items may have either shape by now: the one farther from the goal counts as present.
    shapes = {state.format, state.moving_to or state.format}
    return FormatState(min(shapes) if to > min(shapes) else max(shapes), to, "")


def _move(state: FormatState, to: int, aws: Aws) -> Progress:
    aws.table_format.write(state)
    changed = 0
    for _ in range(PAGES):
        items, after = aws.table_format.page(state.after, ITEMS)
        for item in items:
            for step in table_format.steps(state.format, to):
                if writes := step(item):
                    aws.table_format.change(writes)
                    changed += 1
        if not after:
            aws.table_format.write(FormatState(to))
            return Progress(True, to, changed)
        state = replace(state, after=after)
        aws.table_format.write(state)
    return Progress(False, state.format, changed)
