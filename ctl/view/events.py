"""What happened between two states of a deployment, as flat records: `--follow --json` prints a line for each."""

from collections.abc import Iterator

from ctl.shapes import Deployment, Row
from ctl.words import rows

Event = dict[str, object]


def happened(before: Deployment | None, after: Deployment) -> Iterator[Event]:
    """The events that lead from `before` (None: nothing was shown yet) to `after`, in the order of the phases.

    `event` is phase, resource, traffic, load or deployment. Evidence is not repeated here: `show ID --json` has it.
    """
    head: Event = {"deployment": after["id"], "environment": after["environment"]}
    earlier = {row["name"]: row for row in rows(before)} if before else {}
    for row in rows(after):
        for event in _of_row(earlier.get(row["name"]), row):
            yield {"event": event.pop("event"), **head, **event}
    load = after.get("load")
    if load and (before is None or load != before.get("load")):
        yield {"event": "load", **head, **load}
    if before is None or before["status"] != after["status"]:
        yield {"event": "deployment", **head, **_of_deployment(after)}


def _of_row(before: Row | None, row: Row) -> Iterator[Event]:
    if row["status"] != "PENDING" and (before is None or before["status"] != row["status"]):
        yield {"event": "phase", **_shown(row)}
    resources, earlier = resources_of(row), resources_of(before)
    for name, status in resources.items():
        if earlier.get(name) != status:
            yield {"event": "resource", "phase": row["name"], "resource": name, "status": status}
    percent = percent_of(row)
    if percent is not None and percent != percent_of(before):
        evidence = row["evidence"]
        yield {
            "event": "traffic",
            "phase": row["name"],
            "percent": percent,
            "version": evidence.get("version"),
            "from_version": evidence.get("from_version"),
        }


def _shown(row: Row) -> Event:
    wanted = ("number", "name", "status", "started_at", "ended_at", "duration_s", "summary", "error")
    shown = {name: row[name] for name in wanted if row.get(name) is not None}  # type: ignore[literal-required]
    return {"phase": shown.pop("name"), **shown}


def _of_deployment(deployment: Deployment) -> Event:
    wanted = ("action", "status", "summary", "error", "approval", "duration_s")
    return {name: deployment[name] for name in wanted if deployment.get(name) is not None}  # type: ignore[literal-required]


def resources_of(row: Row | None) -> dict[str, str]:
    """The last status of each resource that a stack update changes, by logical id."""
    resources = row.get("evidence", {}).get("resources") if row and row["name"] == "deploy_stack" else None
    return {str(name): str(status) for name, status in resources.items()} if isinstance(resources, dict) else {}


def percent_of(row: Row | None) -> int | None:
    """Users' share on the candidate during and after a shift; None before, and for any other step."""
    percent = row.get("evidence", {}).get("percent") if row and row["name"] == "shift_traffic" else None
    return percent if isinstance(percent, int) else None
