"""What `fleet status` and `fleet list` print. Pure."""

from collections.abc import Iterator, Sequence

from ctl.client import FINAL
from ctl.fleets.shapes import Fleet, FleetDeployment, FleetMember, FleetWave
from ctl.remedies import in_flags
from ctl.view.styles import STYLES, Line
from ctl.words import clean, command

_STYLES = {**STYLES, "PASSED": STYLES.get("SUCCEEDED", ""), "NOT_STARTED": "", "DONE": STYLES.get("SUCCEEDED", "")}


def deployment(shown: FleetDeployment) -> Iterator[Line]:
    """The whole: its state, every wave with its environments, the cause of a failure, commands to go on."""
    status = shown["status"]
    head = (shown["id"], shown["fleet"], shown.get("action", ""), status, f"{shown.get('percent', 0)} %")
    yield "  ".join(clean(part) for part in head), _STYLES.get(status, "")
    if shown.get("summary"):
        yield f"  {clean(in_flags(shown['summary']))}", ""
    for wave in shown["waves"]:
        yield from _wave(wave, len(shown["waves"]))
    if status == "WAITING_APPROVAL":
        until = (shown.get("approval") or {}).get("until", "")
        yield (
            f"wave {shown.get('wave', 0) + 1} waits for your approval until {clean(until)}. Type one of",
            STYLES.get(status, ""),
        )
        for verb in ("approve", "abort"):
            yield f"  {command()} fleet {verb} {clean(shown['fleet'])} {clean(shown['id'])}", ""
    if status in FINAL:
        yield f"  {command()} fleet report {clean(shown['fleet'])} {clean(shown['id'])}", "dim"


def _wave(wave: FleetWave, count: int) -> Iterator[Line]:
    yield f"wave {wave['number']} of {count}: {clean(wave['status'])}", _STYLES.get(wave["status"], "")
    for member in wave["members"]:
        yield from _member(member)


def _member(member: FleetMember) -> Iterator[Line]:
    parts = (
        member["environment"],
        member["status"],
        "/".join(filter(None, (member.get("account"), member.get("region")))),
        member.get("deployment") or "",
        in_flags(member.get("summary") or ""),
    )
    yield f"  {'  '.join(clean(part) for part in parts if part)}", _STYLES.get(member["status"], "")
    back = member.get("rolled_back")
    if back:
        rest = (member.get("rollback") or "", in_flags(member.get("rollback_summary") or ""))
        yield f"    taken back: {'  '.join(clean(part) for part in (back, *rest) if part)}", _STYLES.get(back, "")


def changes(before: FleetDeployment | None, now: FleetDeployment) -> Iterator[str]:
    """A line for each wave and environment whose state differs from before, for `--follow`."""
    states = dict(_states(before)) if before else {}
    for name, state in _states(now):
        if states.get(name, "PENDING") != state:
            yield f"{name}: {state}"


def _states(shown: FleetDeployment) -> Iterator[tuple[str, str]]:
    for wave in shown["waves"]:
        yield f"wave {wave['number']}", wave["status"]
        for member in wave["members"]:
            name = clean(member["environment"])
            yield name, member["status"]
            if member.get("rolled_back"):
                yield f"{name} taken back", str(member["rolled_back"])
    if shown["status"] == "WAITING_APPROVAL":
        yield "the next wave", "waits for an approval"


def fleets(listed: Sequence[Fleet]) -> Iterator[Line]:
    """One line a fleet."""
    for fleet in listed:
        running = f"running {fleet['running']}" if fleet.get("running") else "free"
        yield f"{clean(fleet['name'])}  {clean(running)}  last {clean(fleet.get('last_deployment', ''))}", ""
