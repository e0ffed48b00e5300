"""What can be seen at POST to fail later: a bound that the load cannot decide, and a name that looks mistyped."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action, Environment
from chalicelib.domain.options import Options, requests_of

_LOADING = (Action.DEPLOY, Action.PROMOTE, Action.REVALIDATE, Action.DRILL)
_NEAR = 2  # letters
_MOST_NEAR = 20  # of numbered names, such as pr-101 to pr-999, hundreds are near


def refuse_undecidable(action: Action, options: Options) -> None:
    """Raises BadRequest for a rate that the load never sends, and for a relative bound on cold starts of which it
    forces none. `Options` refuses a load with too few requests."""
    wanted, sent = options.slo.rps, requests_of(options.load) / options.load.duration_s
    if action not in _LOADING:
        return
    if wanted is not None and wanted > sent:
        raise BadRequest(
            f"options.slo.rps is {wanted:g}, and options.load sends {sent:g} requests a second on average",
            field="options.slo.rps",
            remedy="Raise options.load.rps (a ramp sends half of it, steps five eighths), or lower the SLO.",
        )
    if options.slo.relative.cold_start is not None and not options.load.cold_starts:
        raise BadRequest(
            "options.slo.relative.cold_start needs a cold start, and options.load.cold_starts is 0",
            field="options.load.cold_starts",
            remedy="Set options.load.cold_starts to 1 or more, or take options.slo.relative.cold_start away (null).",
        )


def refuse_near_name(name: str, environments: Iterable[Environment]) -> None:
    """Raises BadRequest when the name of a new environment is within two letters of an existing one."""
    existing = [item.name for item in environments if item.is_known and item.status != "REMOVED"]
    near = sorted(other for other in existing if other != name and distance(name, other) <= _NEAR)
    if near:
        raise BadRequest(
            f"there is no environment {name}, and its name is close to {', '.join(near)}",
            field="environment",
            remedy=f"Correct the name, or send create: true to make the new environment {name}.",
        )


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Other names within two letters, the nearest first, at most 20."""
    # A length that differs by more needs no look at the letters.
    distances = [(distance(name, other), other) for other in names if abs(len(name) - len(other)) <= _NEAR]
    return [other for letters, other in sorted(distances) if 0 < letters <= _NEAR][:_MOST_NEAR]


def distance(left: str, right: str) -> int:
    """Levenshtein's: how many letters must be inserted, removed or changed to make one of the other."""
    row = list(range(len(right) + 1))
    for index, letter in enumerate(left, 1):
        before, row = row, [index]
        for place, other in enumerate(right, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != other)))
    return row[-1]
