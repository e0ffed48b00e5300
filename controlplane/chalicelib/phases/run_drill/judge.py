"""How each part of a drill must end, and which part follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.drills import PARTS

_PHASES = 12


@dataclass(frozen=True, slots=True)
class PartEnd:
    """How a part ended. phases: status of the twelve by name; live: the version on record as live afterwards, alias:
    where the live alias really points ("" when there is none); before: the live version before this part;
    left: what clean_up found left, None when it did not look."""

    status: str
    phases: Mapping[str, str] = field(default_factory=dict)
    live: str = ""
    alias: str = ""
    before: str = ""
    left: int | None = None


def problem(part: str, end: PartEnd) -> str:
    """What did not end as it must; "" when all did."""
    must = "ROLLED_BACK" if part == "broken" else "SUCCEEDED"
    if end.status != must:
        return f"it ended {end.status}, not {must}"
    if part == "deploy":
        short = _PHASES - sum(status == "SUCCEEDED" for status in end.phases.values())
        return f"{short} of the twelve phases did not run to a good end" if short else ""
    if part == "broken" and (end.alias, end.live) != (end.before, end.before):
        return f"live went from version {end.before} to {end.alias or 'nowhere'}: the broken release reached users"
    if part == "update" and (end.live == end.before or end.alias != end.live):
        return (
            f"live is version {end.alias or 'none'}, as before the update"
            if end.live == end.before
            else (f"the live alias is on version {end.alias or 'none'}, the record says {end.live}")
        )
    if part == "cleanup" and end.left != 0:
        return "clean_up has not proved that nothing is left"
    return ""


def following(part: str, why: str) -> str:
    """The next part, "" after the last. Whatever went wrong, what was made is removed."""
    if why and part != "cleanup":
        return "cleanup"
    rest = PARTS[PARTS.index(part) + 1 :]
    return rest[0] if rest else ""
