"""Moves users from the live version to the candidate, step by step, each judged before the next.

A step is judged on the environment's alarms and on the candidate's own failures against the live version's in the same
time. Going back is `roll_back`'s work: the state machine calls it when this raises.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.aws.alarms import Metric
from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.release.shifting import Tally, Verdict, compare, firing, step_s, steps_of, weights_at

NOT_RUN = "NOT RUN: the embedded cloud stores weights, but sends all traffic to the alias's main version"


def run(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    aliases = aws.functions.aliases(names.function)
    candidate = str(request.results["release_code"]["version"])
    live = str(request.cursor.get("from", _before(request, aliases["live"], candidate)))
    if live == candidate and not aliases["live"].weights:
        return Result.skipped(f"Version {candidate} serves all traffic already", version=candidate)
    steps = _steps(request)
    taken = int(request.cursor.get("taken", 0))
    judgements: list[Any] = list(request.cursor.get("judgements", []))
    if taken:
        judgements.append(_judge(names, request, aws, steps[taken - 1], live, candidate))
    if taken < len(steps):
        percent = steps[taken]
        weights = weights_at(live, candidate, percent)
        aws.functions.point(names.function, Alias("live", weights.main, weights.additional))
        cursor = {
            "from": live,
            "taken": taken + 1,
            "judgements": judgements,
            "since": request.cursor.get("since", request.now.isoformat()),
        }
        wait = step_s(request.options.bake, embedded=aws.settings.embedded)
        return Result.in_progress(
            f"{percent} % of the traffic goes to version {candidate}", poll_after_s=wait, cursor=cursor
        )
    return Result.done(
        f"All traffic moved from version {live or 'none'} to {candidate} in {len(steps)} step{'s' * (len(steps) > 1)}",
        from_version=live,
        version=candidate,
        steps_percent=list(steps),
        judgements=judgements,
        weights_act=NOT_RUN if aws.settings.embedded else "yes",
    )


def _before(request: Request, alias: Alias, candidate: str) -> str:
    """The version that served users before this shift; "" for none.

    While a shift is on its way the alias still names it, until the last step. If that was taken by a call that died
    before it could note it down, only the record knows: acquire_lock had put the alias where the record says.
    """
    if alias.version != candidate:
        return alias.version
    recorded = request.environment.live
    return recorded.version if recorded else ""


def _steps(request: Request) -> list[int]:
    """The first release has no live version that was ever good: there is nothing to compare it with, or to keep."""
    return steps_of(request.options.bake) if request.environment.last_good else [100]


def _judge(names: Names, request: Request, aws: Aws, percent: int, live: str, candidate: str) -> dict[str, Any]:
    fired = firing({alarm.name: alarm.state for alarm in aws.alarms.find(names.alarm(""))})
    if fired:
        raise PhaseFailed(
            f"{', '.join(fired)} fired while {percent} % of the traffic went to version {candidate}",
            code="AlarmFired",
            remedy="Look at the alarm's metric and the function's log; the traffic goes back by itself.",
            evidence={"alarms": list(fired), "percent": percent},
        )
    judgement: dict[str, Any] = {"percent": percent, "alarms": "quiet"}
    if aws.settings.embedded:
        return judgement | {"against_live": NOT_RUN}
    return judgement | _against_live(names, request, aws, percent, live, candidate)


def _against_live(names: Names, request: Request, aws: Aws, percent: int, live: str, candidate: str) -> dict[str, Any]:
    """The candidate's failures against the live version's since the shift began."""
    # A minute's metric belongs to the minute that it began in, and comes late by up to two.
    since = datetime.fromisoformat(str(request.cursor["since"])) - timedelta(minutes=1)
    wanted = {
        f"{who}{what}": _metric(names, version, what.capitalize())
        for who, version in (("candidate", candidate), ("live", live))
        for what in ("invocations", "errors")
    }
    seen = {name: int(value) for name, value in aws.metrics.sums(wanted, since, request.now).items()}
    verdict, p = compare(
        Tally(seen["candidateinvocations"], seen["candidateerrors"]), Tally(seen["liveinvocations"], seen["liveerrors"])
    )
    told = {"against_live": verdict.value, "p_value": round(p, 5), "counts": seen}
    if verdict is Verdict.WORSE:
        raise PhaseFailed(
            f"version {candidate} failed {seen['candidateerrors']} of {seen['candidateinvocations']} calls, version "
            f"{live} {seen['liveerrors']} of {seen['liveinvocations']} (p = {p:.4f})",
            code="CanaryWorse",
            remedy="Look at the function's log; the traffic goes back by itself.",
            evidence={"percent": percent, **told},
        )
    return told


def _metric(names: Names, version: str, what: str) -> Metric:
    dimensions = {
        "FunctionName": names.function,
        "Resource": f"{names.function}:live",
        "ExecutedVersion": version,
    }
    return Metric("AWS/Lambda", what, dimensions, "Sum")


PHASE = Definition(run, dict)
