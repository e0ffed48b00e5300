"""What `show`, `list`, `environments` and `nights` print: coloured on a terminal, whole lines in a pipe."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from ctl.client import FINAL
from ctl.difference import Change
from ctl.difference import shown as change_text
from ctl.remedies import in_flags
from ctl.shapes import Deployment, Dora, Entry, Environment, Night, Release, Row, Verdict
from ctl.view import comparing, costs, history
from ctl.view.history import moment, summary
from ctl.view.styles import STYLES, Line
from ctl.view.wrapping import wrapped
from ctl.words import clean, clean_lines, command, counted, note, question, rows

_BLANK: Line = ("", "")
_VERDICTS: tuple[Verdict, ...] = ("good", "healed", "drifted", "failed", "busy", "lost")
_ENVIRONMENT_STYLES = {"LIVE": "green", "NEVER_LIVE": "yellow", "PARTLY_REMOVED": "bold red"}


def put(lines: Iterable[Line], out: TextIO) -> None:
    """Print the lines: on a terminal in its width, in a pipe whole and without colours."""
    if not out.isatty():
        # Not through rich, which would end the process itself when the reader closes the pipe.
        out.writelines(f"{text}\n" for text, _ in lines)
        return
    console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for text, style in lines:
        console.print(Text(wrapped(text, console.width, commands=command()), style=style))


def deployment(shown: Deployment) -> Iterator[Line]:
    """One deployment: its request, every phase with its time and text, errors with remedies, commands to go on."""
    yield from _head(shown)
    if not all(row["status"] == "PENDING" for row in rows(shown)):
        yield _BLANK
        for row in rows(shown):
            if not (row["status"] == "PENDING" and shown["status"] in FINAL):
                yield from _row(row)
    yield from _error(shown)
    text = question(shown)
    if text:
        yield _BLANK
        yield text, STYLES["WAITING_APPROVAL"]
    yield from _hints(shown)


def _head(shown: Deployment) -> Iterator[Line]:
    parts = (
        shown["id"],
        shown["environment"],
        shown.get("action", ""),
        shown["status"],
        f"{shown.get('percent', 0)} %",
    )
    took_s = shown.get("duration_s")
    yield clean("  ".join(parts) + (f"  {took_s:.1f} s" if took_s else "")), STYLES.get(shown["status"], "")
    if shown.get("summary"):
        yield "  " + summary(shown["summary"]), ""
    reason = shown.get("options", {}).get("reason")
    request = f"  requested {moment(shown.get('created_at'))} by {shown.get('caller', 'unknown')}"
    yield clean(request + (f": {reason}" if reason else "")), "dim"
    approval = shown.get("approval") or {}
    if approval.get("by"):
        yield clean(f"  approved {moment(approval.get('at'))} by {approval['by']}"), "dim"
    if shown.get("resumes"):
        yield clean(f"  resumes {shown['resumes']}"), "dim"
    if "cost" in shown:
        yield clean(f"  cost {costs.summary(shown['cost'])}"), "dim"


def _row(row: Row) -> Iterator[Line]:
    number = f"{row['number']:>3}" if row["number"] else "  ·"
    duration_s = row.get("duration_s")
    took = " " * 9 if duration_s is None else f"{duration_s:7.1f} s"
    began = str(row.get("started_at") or "")[11:19]
    line = f"{number}  {clean(row['name']):<21} {clean(row['status']):<10} {began:<8} {took}  {note(row)}"
    yield line.rstrip(), STYLES.get(row["status"], "")
    remedy = (row.get("error") or {}).get("remedy")
    if remedy:
        yield f"       remedy: {clean(in_flags(remedy))}", "bold"


def _error(shown: Deployment) -> Iterator[Line]:
    """The deployment's own error, unless a phase shows it already."""
    error = shown.get("error")
    if not error or error.get("message") in [(row.get("error") or {}).get("message") for row in rows(shown)]:
        return
    yield _BLANK
    yield clean(f"{error.get('code', 'Error')}: {error.get('message', '')}"), STYLES["FAILED"]
    if error.get("remedy"):
        yield f"  remedy: {clean(in_flags(error['remedy']))}", "bold"


def _hints(shown: Deployment) -> Iterator[Line]:
    yield _BLANK
    if "report" in shown.get("links", {}):
        yield clean(f"report      {command()} report {shown['id']} > report.html"), "dim"
        yield clean(f"handoff     {command()} handoff {shown['id']}"), "dim"
    yield clean(f"evidence    {command()} show {shown['id']} --json"), "dim"


def plan(shown: Deployment) -> Iterator[Line]:
    """The plan that a deployment wrote, and the digest that holds a later deployment to it."""
    for step in shown.get("steps", []):
        evidence = step.get("evidence", {})
        if step["name"] == "make_plan" and "text" in evidence:
            yield clean_lines(evidence["text"]), ""
            yield f"expected_plan {clean(evidence.get('digest', ''))}", ""


def deployments(shown: Sequence[Deployment]) -> Iterator[Line]:
    """`2026-01-01T10:00:00Z  d-1  dev  deploy  SUCCEEDED  summary`, a line each."""
    for item in shown:
        at = moment(item.get("created_at", "")).replace(" ", "T")
        columns = (at, item["id"], item["environment"], item.get("action", ""), item["status"])
        text = f"{'  '.join(map(clean, columns))}  {summary(item.get('summary'))}"
        yield text.rstrip(), STYLES.get(item["status"], "")


def environments(shown: Sequence[Environment]) -> Iterator[Line]:
    """Name, status, live version; then account and region of one in a target, a lock, an incident, when it ends."""
    for item in shown:
        live, lock, incident = item.get("live") or {}, item.get("lock"), item.get("incident")
        parts = [item["name"], item.get("status", ""), f"live version {live.get('version', 'none')}", *_place(item)]
        if lock:
            parts.append(f"locked by {lock.get('deployment_id')}")
        if incident:
            parts.append(f"INCIDENT since {moment(incident.get('opened_at'))}")
        if item.get("expires_at"):
            parts.append(f"ends {moment(item['expires_at'])}")
        yield "  ".join(map(clean, parts)), STYLES["FAILED"] if incident else ""


def environment(shown: Environment) -> Iterator[Line]:
    """Releases, lock and incident, the last revalidation, DORA figures, links, history."""
    status = shown.get("status", "")
    yield clean("  ".join((shown["name"], status, *_place(shown)))), _ENVIRONMENT_STYLES.get(status, "")
    yield from _releases(shown)
    yield from _troubles(shown)
    checked = shown.get("last_revalidation")
    if checked:
        result = f"{checked.get('verdict')} at {moment(checked.get('at'))} {checked.get('why', '')}".rstrip()
        yield _field("revalidated", f"{result} ({checked.get('deployment_id')})"), ""
    if shown.get("dora"):
        yield _field("DORA", _dora(shown["dora"])), ""
    for name, link in shown.get("links", {}).items():
        yield _field(name, link), "dim"
    yield from _history(shown.get("history", []))


def _place(shown: Environment) -> Iterator[str]:
    """Nothing for the control plane's own account and region."""
    if shown.get("account"):
        yield f"account {shown['account']}, region {shown.get('region')}"


def _releases(shown: Environment) -> Iterator[Line]:
    releases: Mapping[str, Release | None] = {
        "live": shown.get("live"),
        "last good": shown.get("last_good"),
        "previous": shown.get("previous"),
    }
    for label, release in releases.items():
        if release:
            since = f"since {moment(release.get('at'))}, {release.get('deployment_id')}"
            yield _field(label, f"version {release.get('version')} {since}"), ""


def _troubles(shown: Environment) -> Iterator[Line]:
    lock, incident = shown.get("lock"), shown.get("incident")
    if lock:
        yield _field("locked by", lock.get("deployment_id")), STYLES["RUNNING"]
    if incident:
        yield _field("INCIDENT", f"since {moment(incident.get('opened_at'))}: {incident.get('why')}"), STYLES["FAILED"]
    if shown.get("expires_at"):
        yield _field("ends", moment(shown["expires_at"])), "yellow"


def _history(entries: Sequence[Entry]) -> Iterator[Line]:
    if entries:
        yield _BLANK
        yield f"history, the newest {len(entries)}", "bold"
        yield from history.lines(entries)


def nights(shown: Sequence[Night]) -> Iterator[Line]:
    """A night a line: counts by verdict; below it, the environments that were not good, with their deployments."""
    for night in shown:
        counts = [f"{night[verdict]} {verdict}" for verdict in _VERDICTS if night.get(verdict)]
        yield clean(f"{moment(night.get('began_at'))}  {', '.join(counts) or 'nothing to check'}"), ""
        for word, deployment_ids in night.get("which", {}).items():
            for name, deployment_id in deployment_ids.items():
                style = STYLES["SUCCEEDED" if word == "healed" else "FAILED"]
                yield clean(f"  {word:<9}{name}  {deployment_id or 'not started'}"), style
        if night.get("error"):
            yield clean(f"  the night itself failed: {night['error']}"), STYLES["FAILED"]


def _dora(figures: Dora) -> str:
    rate = figures.get("change_failure_rate")
    return (
        f"{figures['days']} days: {counted(figures['changes'], 'change')}, {figures['deployments_per_day']} a day; "
        f"lead time {_seconds(figures.get('lead_time_s'))}; "
        f"change failure rate {'–' if rate is None else f'{100 * rate:.0f} %'}; "
        f"time to restore {_seconds(figures.get('time_to_restore_s'))}"
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s"


def _field(name: str, value: object) -> str:
    return f"  {clean(name):<12}{clean(value)}"


def comparison(before: Deployment, after: Deployment) -> Iterator[Line]:
    """What differs between two deployments, group by group."""
    for item in (before, after):
        parts = (
            item["id"],
            item["environment"],
            item.get("action", ""),
            item["status"],
            moment(item.get("created_at")),
        )
        yield clean("  ".join(parts)), STYLES.get(item["status"], "")
    groups = {
        "settings": comparing.changes(before.get("config", {}), after.get("config", {})),
        "options": comparing.changes(dict(before.get("options", {})), dict(after.get("options", {}))),
        "results": comparing.changes(comparing.facts(before), comparing.facts(after)),
        "seconds": comparing.changes(comparing.seconds(before), comparing.seconds(after)),
    }
    for name, group in groups.items():
        yield _BLANK
        yield name if group else f"{name}: the same", "bold" if group else "dim"
        for change in group:
            yield clean(f"  {change_text(change)}"), ""


def settings(shown: Mapping[str, object], under: str = "") -> Iterator[Line]:
    """`alarms.error_rate: 0.01`, a line a field: the names that --set takes."""
    for name, value in sorted(shown.items()):
        path = f"{under}.{name}" if under else name
        if isinstance(value, Mapping):
            yield from settings(value, path)
        else:
            yield clean(f"{path}: {json.dumps(value, ensure_ascii=False)}"), ""


def settings_changes(changes: Sequence[Change]) -> Iterator[Line]:
    """A line for each setting that differs."""
    if not changes:
        yield "the same settings", "dim"
    for change in changes:
        yield clean(change_text(change)), ""
