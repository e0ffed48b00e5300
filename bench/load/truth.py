"""What generators report of a server that stalls for 200 ms every 2 s, against what its users really waited.

The truth: requests were due at a steady rate; the server noted when it answered each. A generator that waits for an
answer before it asks again sends nothing during the stall, and so does not notice it.
"""

from __future__ import annotations

import json
from math import inf
from statistics import median

from bench.figures import Bound, Report, say
from bench.load import tools
from bench.load.figures import server
from bench.load.server import PERIOD_S, SERVICE_S, STALL_S
from bench.load.tools import NotRun, Ran

RPS = 200
CONNECTIONS = 200
SHARES = ("0.5", "0.99", "0.999")
_TOLERANCE = 0.02


def measure(seconds: int, rounds: int) -> Report:
    """Medians over the rounds: other work on the machine delays the client now and then.

    Generators and server get real-time priority where that is permitted: on a shared core the scheduler delays whatever
    wakes by milliseconds, which says nothing about a generator.
    """
    report = Report(
        f"truth: {RPS} requests a second for {rounds} × {seconds} s, "
        f"{STALL_S * 1e3:.0f} ms of stall every {PERIOD_S:.0f} s, else {SERVICE_S * 1e3:.0f} ms"
    )
    priority = "before all others' work" if tools.may_be_urgent() else "with no priority (not permitted here)"
    report.lines.append(f"generators and server run {priority}")
    off: dict[str, list[float]] = {share: [] for share in SHARES}
    for number in range(rounds):
        try:
            measured, real = _round(seconds, report, number + 1)
        except NotRun as reason:
            report.lines.append(f"engine {number + 1}: NOT RUN: {reason}")
            continue
        for share in SHARES:
            off[share].append(abs(measured[share] - real[share]) / real[share])
        say(f"  round {number + 1} of {rounds} done")
    _add_bounds(report, off)
    _add_closed_loops(report, seconds)
    return report


def _add_bounds(report: Report, off: dict[str, list[float]]) -> None:
    for share in SHARES:
        what = f"engine's p{float(share) * 100:g} off the truth by (worst round {max(off[share], default=inf):.2%})"
        report.bounds.append(Bound(what, median(off[share] or [inf]), high=_TOLERANCE))


def _add_closed_loops(report: Report, seconds: int) -> None:
    """What generators report that wait for an answer before they send the next request."""
    for name, run in (("hey", _hey), ("wrk", _wrk)):
        try:
            with server("stalling", 0, urgent=True) as serving:
                other = run(serving.url, seconds)
            report.lines.append(_line(name, other.percentiles_us))
        except NotRun as reason:
            report.lines.append(f"{name}: NOT RUN: {reason}")


def _round(seconds: int, report: Report, number: int) -> tuple[dict[str, float], dict[str, float]]:
    """What the engine measured and what was true, as percentiles (us)."""
    with server("stalling", 0, urgent=True) as serving:
        ran, result = tools.engine(serving.url, RPS, seconds, CONNECTIONS, 1, urgent=True)
    answered = sorted(json.loads(serving.log))
    if len(answered) != result["due"]:
        # Without one reply for each due time, the n-th of one is not the n-th of the other.
        raise NotRun(f"{result['due']} requests were due, {len(answered)} answered: this machine is too busy")
    real = _truth([reply for _, reply in answered], result["start"])
    report.lines.append(_line(f"truth {number}", real))
    report.lines.append(_line("engine", ran.percentiles_us))
    report.lines.append(_line("  sent after due by", result["late_us"]))
    return ran.percentiles_us, real


def _hey(url: str, seconds: int) -> Ran:
    return tools.hey(url, seconds, 1, RPS, urgent=True)


def _wrk(url: str, seconds: int) -> Ran:
    return tools.wrk(url, seconds, 1, urgent=True)


def _truth(replies: list[float], start: float) -> dict[str, float]:
    """Percentiles (us) of what users waited: from when the n-th request was due until it was answered."""
    waited = sorted((reply - start - number / RPS) * 1e6 for number, reply in enumerate(replies))
    return {share: waited[max(0, -int(-float(share) * len(waited) // 1) - 1)] for share in SHARES}


def _line(name: str, percentiles: dict[str, float]) -> str:
    shown = (f"p{float(share) * 100:g} {percentiles[share] / 1e3:8.2f} ms" for share in SHARES if share in percentiles)
    return f"{name:<20}" + "   ".join(shown)
