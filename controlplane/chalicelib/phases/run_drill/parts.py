"""How each part of a drill must end, and which part follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chalicelib.domain.drills import PARTS

_PHASES = 12  # tests/test_agreement.py holds the registry to them


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The facts after a part. status: of its deployment; phases: status of the twelve phases by name.

    live: the version on record as live; alias: the version that the live alias really points at; before: the live
    version before this part; "" for none. remaining: how many resources are left after clean_up, None when it did not
    look.
    """

    status: str
    phases: Mapping[str, str] = field(default_factory=dict)
    live: str = ""
    alias: str = ""
    before: str = ""
    remaining: int | None = None


def problem(part: str, end: PartEnd) -> str:
    """What did not end as it must; "" when everything did."""
    # Not ROLLED_BACK: that is what a release comes to that users saw.
    expected = "FAILED" if part == "broken" else "SUCCEEDED"
    if end.status != expected:
        return f"it ended {end.status}, not {expected}"
    return _PROBLEMS[part](end)


def _deploy(end: PartEnd) -> str:
    missing = _PHASES - sum(status == "SUCCEEDED" for status in end.phases.values())
    return f"{missing} of the twelve phases did not succeed" if missing else ""


def _broken(end: PartEnd) -> str:
    if (end.alias, end.live) == (end.before, end.before):
        return ""
    return f"live went from version {end.before} to {end.alias or 'nowhere'}: the broken release reached users"


def _update(end: PartEnd) -> str:
    if end.live == end.before:
        return f"live is version {end.alias or 'none'}, as before the update"
    if end.alias != end.live:
        return f"the live alias is on version {end.alias or 'none'}, the record says {end.live}"
    return ""


def _cleanup(end: PartEnd) -> str:
    return "" if end.remaining == 0 else "clean_up has not proved that nothing is left"


_PROBLEMS: Mapping[str, Callable[[PartEnd], str]] = {
    "deploy": _deploy,
    "broken": _broken,
    "update": _update,
    "cleanup": _cleanup,
}


def following(part: str, problem: str) -> str:
    """The next part, "" after the last. A drill that fails removes its environment next."""
    if problem and part != "cleanup":
        return "cleanup"
    later = PARTS[PARTS.index(part) + 1 :]
    return later[0] if later else ""
