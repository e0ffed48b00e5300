"""The live board: phases in order, and below them what the running phase is doing."""

from collections.abc import Iterator
from typing import Literal

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ctl.client import FINAL
from ctl.shapes import Deployment, Load, Row
from ctl.view import curve
from ctl.view.curve import Sample
from ctl.view.events import percent_of, resources_of
from ctl.view.styles import STYLES
from ctl.words import clean, note, question, rows

_JUSTIFY: tuple[Literal["left", "right"], ...] = ("right", "left", "left", "right", "left")
# Steps that do nothing which a person waits for; a failure of them is shown.
QUIET = ("acquire_lock", "record_outcome")
_RESOURCES = 8  # the newest changes of a stack that are shown
_SETTLED = "_COMPLETE"


class Board:
    """Redrawn in place with every state; it keeps the samples of the load curve."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._last_load: Load | None = None
        self._samples: tuple[Sample, ...] = ()

    def show(self, deployment: Deployment) -> None:
        load = deployment.get("load")
        if load:
            self._samples = curve.extended(self._samples, self._last_load, load)
            self._last_load = load
        self._live.update(board(deployment, self._samples), refresh=True)


def board(deployment: Deployment, samples: tuple[Sample, ...] = ()) -> RenderableType:
    """The table; the details of the running phase; the question when there is one."""
    parts: list[RenderableType] = [table(deployment)]
    for row in rows(deployment):
        if row["status"] == "RUNNING":
            parts += details(row, samples)
    text = question(deployment)
    if text:
        parts.append(Text(text, style=STYLES["WAITING_APPROVAL"]))
    return Group(*parts)


def details(row: Row, samples: tuple[Sample, ...] = ()) -> Iterator[Text]:
    """Of a running phase: stack resources as they come, the traffic bar, or the load curve."""
    if row["name"] == "load_test":
        yield from (Text("  " + line, style="cyan", no_wrap=True) for line in curve.lines(samples))
    percent = percent_of(row)
    if percent is not None:
        yield _traffic(row, percent)
    resources = resources_of(row)
    if resources:
        done = sum(status.endswith(_SETTLED) for status in resources.values())
        yield Text(f"  {done} of {len(resources)} resources done", style="dim")
    unsettled_last = sorted(resources.items(), key=lambda item: not item[1].endswith(_SETTLED))
    for name, status in unsettled_last[-_RESOURCES:]:
        yield Text(clean(f"  {status:<28} {name}"), style="green" if status.endswith(_SETTLED) else "yellow")


def _traffic(row: Row, percent: int) -> Text:
    evidence = row["evidence"]
    drawn = Text(f"  {clean('version ' + str(evidence.get('version')))} ")
    drawn.append(curve.traffic(percent), style="green")
    return drawn.append(f" {percent} %, {100 - percent} % on {clean(evidence.get('from_version') or 'none')}")


def table(deployment: Deployment) -> Table:
    """One row a phase or step. All text is `Text`: rich would read a bracket in a plain string as its own markup."""
    parts = (deployment["id"], deployment["environment"], deployment["status"], f"{deployment.get('percent', 0)} %")
    title = Text(clean("  ".join(parts)))
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    for justify in _JUSTIFY:
        drawn.add_column(justify=justify)
    for phase in shown_rows(deployment):
        drawn.add_row(*_cells(phase))
    return drawn


def shown_rows(deployment: Deployment) -> list[Row]:
    """What a person follows: no lock, no bookkeeping unless it failed, and at the end nothing that did not run."""
    ended = deployment["status"] in FINAL
    return [
        row
        for row in rows(deployment)
        if not (row["name"] in QUIET and row["status"] != "FAILED") and not (ended and row["status"] == "PENDING")
    ]


def _cells(phase: Row) -> tuple[RenderableType, ...]:
    duration = phase.get("duration_s")
    return (
        str(phase["number"] or "·"),
        Text(clean(phase["name"])),
        Text(clean(phase["status"]), style=STYLES.get(phase["status"], "")),
        "" if duration is None else f"{duration:.1f}",
        Text(note(phase), overflow="ellipsis", no_wrap=True),
    )
