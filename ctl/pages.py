"""What `show`, `list` and `environments` print: lines for people, coloured on a terminal, whole in a pipe."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from ctl.progress import STYLES
from ctl.words import clean, clean_lines, command, note, question, rows

Line = tuple[str, str]  # text, rich style
_VERDICTS = ("good", "drifted", "failed", "busy", "lost")
_ENVIRONMENT_STYLES = {"LIVE": "green", "NEVER_LIVE": "yellow", "PARTLY_REMOVED": "bold red"}


def put(lines: Iterable[Line], out: TextIO) -> None:
    """Print the lines. Long ones are the terminal's to wrap; in a pipe they are whole, and without colours."""
    if not out.isatty():
        # Not through rich, which would end the process itself when the reader has gone.
        out.writelines(f"{text}\n" for text, _ in lines)
        return
    console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for text, style in lines:
        console.print(Text(text, style=style))


def deployment(shown: Mapping[str, Any]) -> Iterator[Line]:
    """One deployment: what was asked, every phase with its time and words, errors with remedies, what can be done."""
    head = (shown["id"], shown["environment"], shown.get("action", ""), shown["status"], f"{shown.get('percent', 0)} %")
    took = shown.get("duration_s")
    yield clean("  ".join(map(str, head)) + (f"  {took:.1f} s" if took else "")), STYLES.get(shown["status"], "")
    if shown.get("summary"):
        yield "  " + clean(shown["summary"]), ""
    reason = (shown.get("options") or {}).get("reason")
    asked = f"  asked {_moment(shown.get('created_at'))} by {shown.get('caller', 'unknown')}"
    yield clean(asked + (f": {reason}" if reason else "")), "dim"
    if shown.get("resumes"):
        yield clean(f"  goes on with {shown['resumes']}"), "dim"
    if not all(row["status"] == "PENDING" for row in rows(shown)):
        yield "", ""
        for row in rows(shown):
            yield from _row(row)
    yield from _ending(shown)


def _row(row: Mapping[str, Any]) -> Iterator[Line]:
    number = f"{row['number']:>3}" if row["number"] else "  ·"
    took = f"{row['duration_s']:7.1f} s" if row.get("duration_s") is not None else " " * 9
    began = str(row.get("started_at") or "")[11:19]
    line = f"{number}  {clean(row['name']):<21} {clean(row['status']):<10} {began:<8} {took}  {note(row)}"
    yield line.rstrip(), STYLES.get(row["status"], "")
    remedy = (row.get("error") or {}).get("remedy")
    if remedy:
        yield f"       remedy: {clean(remedy)}", "bold"


def _ending(shown: Mapping[str, Any]) -> Iterator[Line]:
    error, told = shown.get("error"), [(row.get("error") or {}).get("message") for row in rows(shown)]
    if error and error.get("message") not in told:
        yield "", ""
        yield clean(f"{error.get('code', 'Error')}: {error.get('message', '')}"), STYLES["FAILED"]
        if error.get("remedy"):
            yield f"  remedy: {clean(error['remedy'])}", "bold"
    asked = question(shown)
    if asked:
        yield "", ""
        yield asked, STYLES["WAITING_APPROVAL"]
    written = any(row["name"] == "write_handoff" and row["status"] in ("SUCCEEDED", "SKIPPED") for row in rows(shown))
    yield "", ""
    if written:
        yield clean(f"documents   {command()} report {shown['id']} > report.html; … handoff {shown['id']}"), "dim"
    yield clean(f"evidence    {command()} show {shown['id']} --json"), "dim"


def plan(shown: Mapping[str, Any]) -> Iterator[Line]:
    """The plan that a deployment made, and what holds a later one to it."""
    for step in shown.get("steps", []):
        evidence = step.get("evidence") or {}
        if step["name"] == "make_plan" and "text" in evidence:
            yield clean_lines(evidence["text"]), ""
            yield f"expected_plan {clean(evidence.get('digest', ''))}", ""


def deployments(found: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """`2026-01-01T10:00:00.000+00:00  d-1  dev  deploy  SUCCEEDED  summary`, one a line."""
    for one in found:
        columns = [clean(one[name]) for name in ("created_at", "id", "environment", "action", "status")]
        yield f"{'  '.join(columns)}  {clean(one.get('summary') or '')}".rstrip(), ""


def environments(found: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Name, status, live version, and what should not be missed: a lock, an incident, an end."""
    for one in found:
        live, lock, incident = one.get("live") or {}, one.get("lock"), one.get("incident")
        parts = [one["name"], one.get("status", ""), f"live version {live.get('version', 'none')}"]
        if lock:
            parts.append(f"held by {lock.get('deployment_id')}")
        if incident:
            parts.append(f"INCIDENT since {_moment(incident.get('opened_at'))}")
        if one.get("expires_at"):
            parts.append(f"ends {_moment(one['expires_at'])}")
        yield "  ".join(map(clean, parts)), STYLES["FAILED"] if incident else ""


def environment(one: Mapping[str, Any]) -> Iterator[Line]:
    """What users get, what it goes back to, who holds it, how it does, and what was done to it."""
    yield clean(f"{one['name']}  {one.get('status', '')}"), _ENVIRONMENT_STYLES.get(one.get("status", ""), "")
    for label, what in (("live", "live"), ("last good", "last_good"), ("previous", "previous")):
        release = one.get(what)
        if release:
            told = (
                f"version {release.get('version')} since {_moment(release.get('at'))}, {release.get('deployment_id')}"
            )
            yield _field(label, told), ""
    yield from _troubles(one)
    checked = one.get("last_revalidation")
    if checked:
        told = f"{checked.get('verdict')} at {_moment(checked.get('at'))} {checked.get('why', '')}".rstrip()
        yield _field("revalidated", f"{told} ({checked.get('deployment_id')})"), ""
    if one.get("dora"):
        yield _field("DORA", _dora(one["dora"])), ""
    for name, link in (one.get("links") or {}).items():
        yield _field(name, link), "dim"
    history = one.get("history") or []
    if history:
        yield "", ""
        yield f"history, the newest {len(history)}", "bold"
        for entry in history:
            yield _past(entry), STYLES.get(entry.get("outcome", ""), "")


def nights(found: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """A night a line: counts by verdict; below it, the environments that were not good, with their deployments."""
    for night in found:
        counts = [f"{night[verdict]} {verdict}" for verdict in _VERDICTS if night.get(verdict)]
        yield clean(f"{_moment(night.get('began_at'))}  {', '.join(counts) or 'nothing to check'}"), ""
        for verdict, ones in (night.get("which") or {}).items():
            for name, deployment_id in ones.items():
                yield clean(f"  {verdict:<9}{name}  {deployment_id or 'not started'}"), STYLES["FAILED"]
        if night.get("error"):
            yield clean(f"  the night itself failed: {night['error']}"), STYLES["FAILED"]


def _troubles(one: Mapping[str, Any]) -> Iterator[Line]:
    lock, incident = one.get("lock"), one.get("incident")
    if lock:
        yield _field("held by", lock.get("deployment_id")), STYLES["RUNNING"]
    if incident:
        yield _field("INCIDENT", f"since {_moment(incident.get('opened_at'))}: {incident.get('why')}"), STYLES["FAILED"]
    if one.get("expires_at"):
        yield _field("ends", _moment(one["expires_at"])), "yellow"


def _dora(figures: Mapping[str, Any]) -> str:
    rate = figures.get("change_failure_rate")
    return (
        f"{figures['days']} days: {figures['changes']} changes, {figures['deployments_per_day']} a day; "
        f"lead time {_seconds(figures.get('lead_time_s'))}; "
        f"change failure rate {'–' if rate is None else f'{100 * rate:.0f} %'}; "
        f"time to restore {_seconds(figures.get('time_to_restore_s'))}"
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s"


def _past(entry: Mapping[str, Any]) -> str:
    why = f" ({entry['why']})" if entry.get("why") else ""
    names = ("action", "outcome", "deployment_id")
    told = [_moment(entry.get("at")), *(str(entry.get(name, "")) for name in names)]
    return clean(f"  {'  '.join(told)}  {entry.get('summary', '')}{why}")


def _field(name: str, value: object) -> str:
    return f"  {clean(name):<12}{clean(value)}"


def _moment(at: object) -> str:
    """`2026-01-01 10:00:00Z` of a record's time; milliseconds tell a person nothing."""
    text = str(at or "–")
    return f"{text[:10]} {text[11:19]}Z" if len(text) > 19 and text.endswith(("+00:00", "Z")) else text
