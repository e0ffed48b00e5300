"""Watches the alarms while the new version serves everyone. One that fires, at any time, ends the deployment."""

from __future__ import annotations

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.release.shifting import firing, watch_s

_LONGEST_WAIT_S = 30


def run(request: Request, aws: Aws) -> Result:
    shifted = request.results.get("shift_traffic", {})
    if "from_version" not in shifted:
        return Result.skipped("No traffic was moved, so that there is nothing to watch")
    names = Names(request.environment.name)
    states = {alarm.name: alarm.state for alarm in aws.alarms.find(names.alarm(""))}
    if fired := firing(states):
        raise PhaseFailed(
            f"{', '.join(fired)} fired while version {shifted['version']} served all traffic",
            code="AlarmFired",
            remedy="Look at the alarm's metric and the function's log; the traffic goes back by itself.",
            evidence={"alarms": list(fired)},
        )
    if not states:
        raise PhaseFailed(
            "there are no alarms to watch: a bake without them proves nothing",
            code="NoAlarms",
            remedy="Deploy again with options.force, so that configure_monitoring makes them.",
        )
    seconds = watch_s(request.options.bake, embedded=aws.settings.embedded)
    left = seconds - request.elapsed_s
    looks = int(request.cursor.get("looks", 0)) + 1
    if left > 0:
        return Result.in_progress(
            f"{len(states)} alarms are quiet; {left:.0f} s to watch",
            poll_after_s=min(_LONGEST_WAIT_S, round(left) or 1),
            cursor={"looks": looks},
        )
    unsure = sorted(name for name, state in states.items() if state == "INSUFFICIENT_DATA")
    return Result.done(
        f"{len(states)} alarms stayed quiet for {seconds} s ({looks} looks)",
        alarms=dict(states),
        looks=looks,
        watched_s=seconds,
        without_data=unsure,
    )


PHASE = Definition(run, dict)
