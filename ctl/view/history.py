"""What happened to an environment: its history, and its incidents with the drift that was found, as a diff."""

from collections.abc import Iterable, Iterator, Sequence

from ctl.remedies import in_flags
from ctl.shapes import DriftRow, Entry, PastIncident
from ctl.view.styles import STYLES, Line
from ctl.words import clean


def moment(at: object) -> str:
    """`2026-01-01 10:00:00Z` of a record's time; people do not need milliseconds."""
    text = str(at or "–")
    return f"{text[:10]} {text[11:19]}Z" if len(text) > 19 and text.endswith(("+00:00", "Z")) else text


def lines(entries: Iterable[Entry]) -> Iterator[Line]:
    """When, what, how it ended, by which deployment: a line an entry, and the drift that it found below."""
    for entry in entries:
        yield _past(entry), STYLES.get(entry.get("outcome", ""), "")
        yield from _drift(entry.get("drift") or [])


def _past(entry: Entry) -> str:
    why = f" ({entry['why']})" if entry.get("why") else ""
    columns = (
        moment(entry.get("at")),
        entry.get("action", ""),
        entry.get("outcome", ""),
        entry.get("deployment_id", ""),
    )
    return clean(f"  {'  '.join(columns)}  {summary(entry.get('summary'))}{why}")


def summary(text: str | None) -> str:
    """A deployment's summary, with options as the flags of this client."""
    return clean(in_flags(text or ""))


def _drift(rows: Sequence[DriftRow]) -> Iterator[Line]:
    """`- recorded` and `+ found`, as a diff has them."""
    for row in rows:
        yield clean(f"      {row.get('where')}{'  (put back)' if row.get('healed') else ''}"), "bold"
        yield clean(f"      - {row.get('expected')}"), "red"
        yield clean(f"      + {row.get('found')}"), "green"
        if row.get("remedy") and not row.get("healed"):
            yield clean(f"      remedy: {in_flags(row['remedy'])}"), "dim"


def incidents(shown: Sequence[PastIncident]) -> Iterator[Line]:
    """An incident a line: from when to when, by which deployment, and why."""
    if not shown:
        yield "no incident is on record", "dim"
    for item in shown:
        end = moment(item["closed_at"]) if item.get("closed_at") else "open"
        text = f"{moment(item.get('opened_at'))}  to {end}  {item['opened_by']}  {item.get('why', '')}"
        yield clean(text), "" if item.get("closed_at") else STYLES["FAILED"]


def incident(shown: PastIncident) -> Iterator[Line]:
    """Why it opened, with the drift as a diff; how it was closed; what happened in between, newest first."""
    yield clean(f"opened  {moment(shown.get('opened_at'))} by {shown['opened_by']}: {shown.get('why', '')}"), "bold"
    yield from _drift(shown.get("drift") or [])
    if shown.get("closed_at"):
        text = f"closed  {moment(shown['closed_at'])} by {shown.get('closed_by')}: {shown.get('how', '')}"
        yield clean(text), STYLES["SUCCEEDED"]
    else:
        yield "open    until a revalidation or a deploy passes", STYLES["FAILED"]
    yield "", ""
    yield "while it was open, newest first", "bold"
    yield from lines(shown.get("history") or [])
