"""What generators say of a server that stands still for 200 ms every 2 s, against what it really did to its users.

The truth: requests were due at a steady rate; the server noted when it answered each. A generator that waits for an
answer before it asks again sends nothing during the stall, and so does not notice it.
"""

from __future__ import annotations

import json

from bench.figures import Bound, Report
from bench.load import tools
from bench.load.figures import server
from bench.load.server import PERIOD_S, STALL_S
from bench.load.tools import NotRun, Ran

RPS = 200
CONNECTIONS = 200
SHARES = ("0.5", "0.99", "0.999")
_TOLERANCE = 0.02


def measure(seconds: int) -> Report:
    report = Report(
        f"truth: {RPS} requests a second for {seconds} s, {STALL_S * 1e3:.0f} ms of stall every {PERIOD_S:.0f} s"
    )
    with server("stalling", 0) as serving:
        ran, told = tools.engine(serving.url, RPS, seconds, CONNECTIONS, 1)
    answered = sorted(json.loads(serving.log))
    real = _truth([reply for _, reply in answered], told["start"])
    report.lines.append(_line("truth", real))
    report.lines.append(_line("engine", ran.percentiles_us))
    for share in SHARES:
        off = abs(ran.percentiles_us[share] - real[share]) / real[share]
        report.bounds.append(Bound(f"engine's p{float(share) * 100:g} off the truth by", off, high=_TOLERANCE))
    for name, run in (("hey", _hey), ("wrk", _wrk)):
        try:
            with server("stalling", 0) as serving:
                other = run(serving.url, seconds)
            report.lines.append(_line(name, other.percentiles_us))
        except NotRun as reason:
            report.lines.append(f"{name}: NOT RUN: {reason}")
    return report


def _hey(url: str, seconds: int) -> Ran:
    return tools.hey(url, seconds, 1, RPS)


def _wrk(url: str, seconds: int) -> Ran:
    return tools.wrk(url, seconds, 1)


def _truth(replies: list[float], start: float) -> dict[str, float]:
    """Percentiles (us) of what users waited: from when the n-th request was due until it was answered."""
    waited = sorted((reply - start - number / RPS) * 1e6 for number, reply in enumerate(replies))
    return {share: waited[max(0, -int(-float(share) * len(waited) // 1) - 1)] for share in SHARES}


def _line(name: str, percentiles: dict[str, float]) -> str:
    shown = (f"p{float(share) * 100:g} {percentiles[share] / 1e3:8.2f} ms" for share in SHARES if share in percentiles)
    return f"{name:<8}" + "   ".join(shown)
