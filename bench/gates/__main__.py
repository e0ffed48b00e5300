"""`python -m bench gates`: 2,000 simulated rollouts of each kind; exit code 1 when a bound is missed.

`python -m bench gates -- --draw docs/gates.svg` draws them, too.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "controlplane"))

from chalicelib.release.sequential import ALPHA, RULES

from bench.figures import Bound, Report, say
from bench.gates import figure, fixed
from bench.gates.rollouts import Scenario, stopped_after

RATE, LIVE_RATE, POWER = 0.02, 0.001, 0.99
EQUAL = Scenario("equal")
FAILING = Scenario(
    "errors 0.1 % -> 2 %", errors=RATE, live_errors=LIVE_RATE, per_window=10, windows=250, metrics=("errors",)
)
SLOWER = Scenario("median 20 % slower", slower=1.2)
ROUGH = Scenario("equal, rough hour", is_rough=True)
ROUGH_SLOWER = Scenario("20 % slower, rough hour", is_rough=True, slower=1.2)
SCENARIOS = (FAILING, SLOWER, ROUGH_SLOWER, EQUAL, ROUGH)


@dataclass(frozen=True)
class Outcome:
    """stops: requests of either side until each rollout's stop; None: never."""

    stops: list[int | None]

    @property
    def share(self) -> float:
        return sum(stop is not None for stop in self.stops) / len(self.stops)

    @property
    def typical(self) -> float:
        return median(stop for stop in self.stops if stop is not None) if self.share else float("inf")


def main(arguments: list[str]) -> int:
    """Simulate and print; 0 when every bound holds."""
    options = _parser().parse_args(arguments)
    outcomes = {scenario.name: simulate(scenario, options.rollouts) for scenario in SCENARIOS}
    textbook, exact = (test(RATE, LIVE_RATE, ALPHA, POWER) for test in (fixed.z_test, fixed.exact_test))
    report = _report(outcomes, textbook, exact)
    report.print()
    if options.draw:
        stops = {name: outcome.stops for name, outcome in outcomes.items()}
        options.draw.write_text(figure.draw(stops, 2_500, textbook, f"fixed test: {textbook:,}"))
        say(f"  drawn: {options.draw}")
    return 0 if all(bound.holds for bound in report.bounds) else 1


def simulate(scenario: Scenario, rollouts: int) -> Outcome:
    """So many rollouts, on all cores."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return Outcome(list(pool.map(partial(stopped_after, scenario), range(rollouts), chunksize=50)))


def _report(outcomes: dict[str, Outcome], textbook: int, exact: int) -> Report:
    count = len(outcomes[EQUAL.name].stops)
    lines = [
        f"{name}: {outcome.share * 100:.2f} % stopped, half of those within {outcome.typical:,.0f} requests of a side"
        for name, outcome in outcomes.items()
    ]
    typical = outcomes[FAILING.name].typical
    least, share = (fixed.least_mean(RATE, LIVE_RATE, alpha) for alpha in (ALPHA, RULES["errors"].alpha))
    own = fixed.exact_test(RATE, LIVE_RATE, RULES["errors"].alpha, POWER)
    lines += [
        f"fixed test (2 % against 0.1 %, 1 % false alarms, 99 % power): z-test {textbook:,}, Fisher's exact {exact:,}",
        f"of Fisher's exact test: {typical / exact * 100:.0f} %, at this test's share of the false alarms ({own:,}): "
        f"{typical / own * 100:.0f} %",
        f"no sequential test that holds 1 % needs fewer than {least:,.0f} on average ({least / exact * 100:.0f} % of"
        f" Fisher's, {least / textbook * 100:.0f} % of the z-test); with this test's share, {share:,.0f}",
    ]
    bounds = [
        Bound("equal release stopped", outcomes[EQUAL.name].share * 100, high=1, unit="%"),
        Bound("equal release stopped in a rough hour", outcomes[ROUGH.name].share * 100, high=1, unit="%"),
        Bound("2 % errors caught", outcomes[FAILING.name].share * 100, low=99, unit="%"),
        Bound("its median, of the fixed test's requests", typical / textbook * 100, high=40, unit="%"),
        Bound("20 % slower caught", outcomes[SLOWER.name].share * 100, low=95, unit="%"),
    ]
    return Report(f"gates: {count:,} rollouts of each kind", lines, bounds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench gates", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=2_000, help="of each kind")
    parser.add_argument("--draw", type=Path, help="where to write the figure (SVG)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
