"""Two deployments beside each other. Pure."""

from collections.abc import Mapping
from typing import Any

from ctl.difference import Change, differences
from ctl.shapes import Deployment
from ctl.words import rows

# Evidence that says what a release is and how it did, by phase: (name, path in the evidence).
_FACTS = {
    "package_artifact": (("code", ("digest",)),),
    "release_code": (("version", ("version",)), ("memory_mb", ("memory_mb",))),
    "load_test": (
        ("requests/s", ("rps",)),
        ("p50 ms", ("response_ms", "p50")),
        ("p99 ms", ("response_ms", "p99")),
        ("errors", ("errors",)),
    ),
}


def compared(before: Deployment, after: Deployment) -> dict[str, Any]:
    """Changes by group, each `{path, before, after}`; a value is null where one of the two lacks it."""
    groups = {
        "settings": changes(before.get("config", {}), after.get("config", {})),
        "options": changes(dict(before.get("options", {})), dict(after.get("options", {}))),
        "results": changes(facts(before), facts(after)),
        "seconds": changes(seconds(before), seconds(after)),
    }
    return {
        "before": before["id"],
        "after": after["id"],
        **{name: [_plain(change) for change in group] for name, group in groups.items()},
    }


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[Change]:
    """`differences`, with the reason of the run left out: every run has another."""
    return [change for change in differences(before, after) if change.path != "reason"]


def facts(deployment: Deployment) -> dict[str, object]:
    """Status, version, code, load figures; of phases that have evidence of them."""
    evidence = {row["name"]: row.get("evidence", {}) for row in rows(deployment)}
    result: dict[str, object] = {"status": deployment["status"]}
    for phase, wanted in _FACTS.items():
        for name, path in wanted:
            value = _at(evidence.get(phase, {}), path)
            if value not in (None, {}, ""):
                result[name] = value
    return result


def _at(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def seconds(deployment: Deployment) -> dict[str, object]:
    """Seconds by phase, rounded, of those that have ended."""
    return {row["name"]: round(row["duration_s"] or 0) for row in rows(deployment) if row.get("duration_s")}


def _plain(change: Change) -> dict[str, object]:
    sides = {"before": change.before, "after": change.after}
    return {"path": change.path, **{name: value if _is_json(value) else None for name, value in sides.items()}}


def _is_json(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool | list | dict)
