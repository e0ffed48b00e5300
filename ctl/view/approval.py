"""What a person sees before an approval: what users get, what changes, and what the candidate has passed."""

from collections.abc import Iterator
from typing import Any, TextIO

from ctl.difference import Change, differences, shown
from ctl.shapes import Deployment, Environment
from ctl.view.styles import STYLES, Line
from ctl.words import clean, note, rows

_CHECKED = ("SUCCEEDED", "SKIPPED", "FAILED")


def page(deployment: Deployment, environment: Environment) -> Iterator[Line]:
    """The release beside the one that is live, setting by setting, then every phase's result."""
    live = environment.get("live") or {}
    version = _evidence(deployment, "release_code").get("version", "?")
    text = f"{deployment['environment']}: version {version} instead of {live.get('version', 'none')}"
    yield clean(text), "bold"
    reason = deployment.get("options", {}).get("reason")
    if reason:
        yield clean(f"  reason: {reason}"), ""
    yield from _settings(live.get("config") or {}, deployment.get("config") or {})
    for change in _evidence(deployment, "deploy_stack").get("changes", ()):
        yield clean(f"  stack: {change}"), ""
    for row in rows(deployment):
        if row["number"] and row["status"] in _CHECKED:
            yield clean(f"  {row['name']:<21} {row['status']:<10} {note(row)}"), STYLES[row["status"]]


def _settings(live: dict[str, object], candidate: dict[str, object]) -> Iterator[Line]:
    changes: list[Change] = differences(live, candidate) if live else []
    for change in changes:
        yield clean(f"  config: {shown(change)}"), "yellow"
    if live and not changes:
        yield "  config: as it is", "dim"


def _evidence(deployment: Deployment, phase: str) -> dict[str, Any]:  # each phase has its own evidence
    return next((row.get("evidence", {}) for row in rows(deployment) if row["name"] == phase), {})


def agrees(source: TextIO, out: TextIO) -> bool:
    """Whether the person types y or yes; an empty line or the end of the input is a no."""
    out.write("Let users get it? [y/N] ")
    out.flush()
    return source.readline().strip().lower() in ("y", "yes")
