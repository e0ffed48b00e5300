"""`python -m bench rollouts`: what each kind of rollout takes in the embedded cloud, as a client that polls sees it.

The median of several, the share of each phase, the calls of AWS APIs by the phases' Lambdas, and state transitions.
`python -m bench rollouts -- --only no-op --repeat 3 --json FILE` measures one kind and writes all figures down.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.figures import Bound, Report, say
from bench.rollouts.cloud import Bench, running
from bench.rollouts.measure import Run, post, run
from bench.rollouts.scenarios import ENVIRONMENT, SCENARIOS, Scenario
from local import strict

_SWITCHES = {"off": strict.OFF, "everyday": strict.EVERYDAY}


def main(arguments: list[str]) -> int:
    """Measure and print; 0 when every bound holds."""
    options = _parser().parse_args(arguments)
    say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} (other work on this machine shows in every figure)")
    chosen = [each for each in SCENARIOS if not options.only or each.name in options.only]
    with running(_SWITCHES[options.strict]) as bench:
        _first_of_all(bench)
        runs = {each.name: _repeat(bench, each, options.repeat) for each in chosen}
    reports = [_report(each, runs[each.name]) for each in chosen]
    for report in reports:
        report.print()
    if options.json:
        plain = {name: [_plain(each) for each in items] for name, items in runs.items()}
        options.json.write_text(json.dumps(plain, indent=1) + "\n")
    return 0 if all(bound.holds for report in reports for bound in report.bounds) else 1


def _first_of_all(bench: Bench) -> None:
    """The first rollout in a fresh cloud, in which every Lambda starts cold; then the environment that others use."""
    bench.client.put_secret(ENVIRONMENT, bench.secret())
    say(f"  the first rollout in a fresh cloud, every Lambda cold: {_text(run(bench, post(bench, ENVIRONMENT)))}")


def _repeat(bench: Bench, scenario: Scenario, times: int) -> list[Run]:
    runs = []
    for number in range(times):
        runs.append(run(bench, scenario.start(bench, number)))
        say(f"  {scenario.name}: {_text(runs[-1])} (load {os.getloadavg()[0]:.1f})")
    return runs


def _text(each: Run) -> str:
    outcome = "" if each.status == "SUCCEEDED" else f" {each.status}: {each.error}"
    calls = sum(each.calls.values())
    return f"{each.seconds:.1f} s, {calls} calls, {each.transitions} transitions, ${each.usd:.4f}{outcome}"


def _report(scenario: Scenario, runs: Sequence[Run]) -> Report:
    """Of the run with the median time the share of each phase, and its calls."""
    typical = sorted(runs, key=lambda each: each.seconds)[len(runs) // 2]
    lines = [
        f"median {median(each.seconds for each in runs):.1f} s of {', '.join(f'{each.seconds:.1f}' for each in runs)}; "
        f"{sum(typical.calls.values())} AWS calls, {typical.transitions} transitions "
        f"(ledger: {typical.derived}), ${typical.usd:.4f}"
    ]
    calls = Counter[str]()
    for (function, _), count in typical.calls.items():
        calls[function] += count
    for name, seconds in typical.phases.items():
        function = "".join(part.capitalize() for part in name.split("_"))
        share = seconds / typical.seconds * 100
        lines.append(f"{name:<22} {seconds:6.2f} s {share:5.1f} % {calls[function]:5} calls")
    outside = typical.seconds - sum(typical.phases.values())
    lines.append(f"{'between and around':<22} {outside:6.2f} s {outside / typical.seconds * 100:5.1f} %")
    bounds = [
        Bound(f"{scenario.name}, median", median(each.seconds for each in runs), high=scenario.limit_s, unit="s"),
        Bound("succeeded", sum(each.status == "SUCCEEDED" for each in runs) / len(runs), low=1),
    ]
    return Report(scenario.name, lines, bounds)


def _plain(each: Run) -> dict[str, object]:
    calls = {" ".join(key): count for key, count in sorted(each.calls.items())}
    return {**dataclasses.asdict(dataclasses.replace(each, calls=Counter())), "calls": calls}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench rollouts", description=__doc__)
    parser.add_argument("--only", action="append", choices=[each.name for each in SCENARIOS], help="this kind only")
    parser.add_argument("--repeat", type=int, default=5, help="times each")
    parser.add_argument("--strict", choices=sorted(_SWITCHES), default="off", help="how strict the cloud is")
    parser.add_argument("--json", type=Path, help="where to write every run's figures")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
