"""Requests for each second of a core: every generator in turn on one core, the server on the other, several rounds."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from bench.figures import Bound, Report, say
from bench.load import tools
from bench.load.figures import server
from bench.load.tools import CONNECTIONS, NotRun, Ran

SERVER_CORE, GENERATOR_CORE = 0, 1
_BEYOND = 60_000
_FRACTION = 0.9  # of its capacity: what the engine can sustain, not only reach


def measure(seconds: int, rounds: int, *, urgent: bool = False) -> Report:
    """Medians over the rounds; the ratios are those within a round, since the machine's load changes between rounds."""
    report = Report(
        f"speed: requests per CPU second, 1 KB POST, {CONNECTIONS} connections, {rounds} × {seconds} s each"
    )
    runs_by_name: dict[str, list[Ran]] = {}
    unsent_shares: list[float] = []
    with server("fast", SERVER_CORE, urgent=urgent) as serving:
        generators = _generators(serving.url, seconds, unsent_shares, urgent)
        for number in range(rounds):
            for name, run in list(generators.items()):
                try:
                    runs_by_name.setdefault(name, []).append(run())
                except NotRun as reason:
                    report.lines.append(f"{name}: NOT RUN: {reason}")
                    del generators[name]
            say(f"  round {number + 1} of {rounds} done")
    report.lines += [_line(name, runs) for name, runs in runs_by_name.items() if runs]
    report.bounds += _bounds(runs_by_name, unsent_shares)
    return report


def _line(name: str, runs: list[Ran]) -> str:
    per_core, wall = median(run.per_core for run in runs), median(run.requests / run.wall_s for run in runs)
    return f"{name:<28}{per_core:>9,.0f} a CPU second {wall:>9,.0f} a second"


def _generators(url: str, seconds: int, unsent_shares: list[float], urgent: bool) -> dict[str, Callable[[], Ran]]:
    # Once at a rate that nothing sustains, to learn the capacity.
    probe, _ = tools.engine(url, _BEYOND, 1, CONNECTIONS, GENERATOR_CORE, give_up_s=120, urgent=urgent)
    capacity = [probe.requests / probe.wall_s]

    def saturated() -> Ran:
        # A third more than the last round's capacity: there is always something due. No request is dropped, since work
        # on dropped requests would count as work on answered ones.
        ran, _ = tools.engine(
            url, 1.3 * capacity[-1], seconds, CONNECTIONS, GENERATOR_CORE, give_up_s=120, urgent=urgent
        )
        capacity.append(ran.requests / ran.wall_s)
        return ran

    def holding() -> Ran:
        ran, result = tools.engine(url, _FRACTION * capacity[-1], seconds, CONNECTIONS, GENERATOR_CORE, urgent=urgent)
        unsent_shares.append(result["unsent"] / result["due"])
        return ran

    return {
        "wrk": lambda: tools.wrk(url, seconds, GENERATOR_CORE, urgent=urgent),
        "engine": saturated,
        "hey": lambda: tools.hey(url, seconds, GENERATOR_CORE, urgent=urgent),
        "engine at 90 % of capacity": holding,
        "Locust FastHttpUser": lambda: tools.locust(url, max(5, seconds), GENERATOR_CORE, urgent=urgent),
    }


def _bounds(runs_by_name: dict[str, list[Ran]], unsent_shares: list[float]) -> list[Bound]:
    bounds = []
    for other, low in (("wrk", 0.5), ("Locust FastHttpUser", 5.0)):
        if runs_by_name.get(other):
            ratios = [
                ours.per_core / theirs.per_core
                for ours, theirs in zip(runs_by_name["engine"], runs_by_name[other], strict=False)
            ]
            bounds.append(Bound(f"engine / {other}", median(ratios), low=low))
    if unsent_shares:
        bounds.append(Bound("share unsent at 90 % of capacity", median(unsent_shares), high=0.01))
    return bounds
