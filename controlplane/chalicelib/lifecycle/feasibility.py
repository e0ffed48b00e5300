"""What can be seen at POST to fail later: a load that is too small for its SLOs, and a name that looks mistyped."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action, Environment
from chalicelib.domain.options import Load, Options, Slo

P99_SAMPLES = 100  # one sample can be expected above the 99th percentile
COMPARISON_SAMPLES = 200  # fewer cannot tell a slowdown of 20 % from noise
_STEPS = 4  # of a load whose arrivals rise in steps
_LOADING = (Action.DEPLOY, Action.REVALIDATE, Action.DRILL)
_NEAR = 2  # letters


def planned(load: Load) -> int:
    """About how many requests the load sends."""
    if load.arrivals == "trace":
        return sum(1 for at in load.trace if at < load.duration_s)
    share = {"ramp": 0.5, "step": (_STEPS + 1) / (2 * _STEPS)}.get(load.arrivals, 1.0)
    return round(load.rps * load.duration_s * share)


def refuse_undecidable_load(action: Action, options: Options) -> None:
    """Raises BadRequest for an SLO that the load cannot decide, naming the SLO and the number of requests it needs."""
    if action not in _LOADING:
        return
    count, load = planned(options.load), options.load
    for field, needed in _needed(options.slo):
        if count < needed:
            raise BadRequest(
                f"options.load sends {count} requests ({load.rps:g} a second for {load.duration_s:g} s), and "
                f"options.slo.{field} needs {needed} samples",
                field="options.load",
                remedy=f"Raise options.load.rps or duration_s, or set options.slo.{field} to null.",
            )
    if options.slo.rps is not None and options.slo.rps > load.rps:
        raise BadRequest(
            f"options.slo.rps is {options.slo.rps:g}, and options.load sends {load.rps:g} requests a second at most",
            field="options.slo.rps",
            remedy="Raise options.load.rps above it, or lower the SLO.",
        )


def _needed(slo: Slo) -> list[tuple[str, int]]:
    """(field, number of samples) of each SLO that needs a number of samples."""
    needs = [("p99_ms", slo.p99_ms, P99_SAMPLES), ("slowdown", slo.slowdown, COMPARISON_SAMPLES)]
    return [(field, samples) for field, bound, samples in needs if bound is not None]


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


def distance(left: str, right: str) -> int:
    """Levenshtein's: how many letters must be inserted, removed or changed to make one of the other."""
    row = list(range(len(right) + 1))
    for index, letter in enumerate(left, 1):
        before, row = row, [index]
        for place, other in enumerate(right, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != other)))
    return row[-1]
