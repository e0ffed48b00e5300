"""Moves users from the live version to the candidate, step by step; an alarm at any step stops it.

Going back is `roll_back`'s work: the state machine calls it when this raises.
"""

from __future__ import annotations

from ..core.contract import Request, Result
from ..core.naming import Names
from ..core.shifting import firing, weights_at
from ..errors import PhaseFailed
from ..ports import Alias, Aws


def run(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    aliases = aws.functions.aliases(names.function)
    candidate = str(request.results["release_code"]["version"])
    # While a shift is on its way the live alias still names the old version, until the last step.
    live = str(request.cursor.get("from", aliases["live"].version))
    if live == candidate and not aliases["live"].weights:
        return Result.skipped(f"Version {candidate} serves all traffic already", version=candidate)
    steps = _steps(request)
    taken = int(request.cursor.get("taken", 0))
    if taken:
        _judge(names, aws, steps[taken - 1], candidate)
    if taken < len(steps):
        percent = steps[taken]
        weights = weights_at(live, candidate, percent)
        aws.functions.point(names.function, Alias("live", weights.main, weights.additional))
        return Result.in_progress(
            f"{percent} % of the traffic goes to version {candidate}",
            poll_after_s=request.options.bake.step_s,
            cursor={"from": live, "taken": taken + 1},
        )
    return Result.done(
        f"All traffic moved from version {live} to {candidate} in {len(steps)} steps",
        from_version=live,
        version=candidate,
        steps_percent=list(steps),
        weights_act=_weights_act(aws),
    )


def _steps(request: Request) -> list[int]:
    """The first release has no live version that was ever good: there is nothing to compare it with, or to keep."""
    return list(request.options.bake.steps) if request.environment.last_good else [100]


def _judge(names: Names, aws: Aws, percent: int, candidate: str) -> None:
    fired = firing({alarm.name: alarm.state for alarm in aws.alarms.find(names.alarm(""))})
    if fired:
        raise PhaseFailed(
            f"{', '.join(fired)} fired while {percent} % of the traffic went to version {candidate}",
            code="AlarmFired",
            remedy="Look at the alarm's metric and the function's log; the traffic goes back by itself.",
            evidence={"alarms": list(fired), "percent": percent},
        )


def _weights_act(aws: Aws) -> str:
    if aws.settings.embedded:
        return "NOT RUN: the embedded cloud stores weights, but sends all traffic to the alias's main version"
    return "yes"
