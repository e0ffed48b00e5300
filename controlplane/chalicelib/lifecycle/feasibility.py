"""What can be seen at POST to fail later: a rate that the load never sends, and a name that looks mistyped."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action, Environment
from chalicelib.domain.options import Options

_LOADING = (Action.DEPLOY, Action.REVALIDATE, Action.DRILL)
_NEAR = 2  # letters
_MOST_NEAR = 20  # of numbered names, such as pr-101 to pr-999, hundreds are near


def refuse_unreachable_rate(action: Action, options: Options) -> None:
    """Raises BadRequest for an SLO on the rate that the load never sends. `Options` refuses a load with too few
    requests."""
    wanted, sent = options.slo.rps, options.load.rps
    if action in _LOADING and wanted is not None and wanted > sent:
        raise BadRequest(
            f"options.slo.rps is {wanted:g}, and options.load sends {sent:g} requests a second at most",
            field="options.slo.rps",
            remedy="Raise options.load.rps above it, or lower the SLO.",
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
