"""Moves users from the live version to the candidate in steps, and judges each step before the next.

A step is judged by the environment's alarms and by the candidate's failures against the live version's in the same
time; the last one is judged at once, since the bake goes on watching it. A step that fails raises; the state machine
then calls `roll_back`. With the last step users also get the secret version that was pending: two versions of the code
share one secret, and the older one must not meet the newer document.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.functions import Alias, alias_of
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence, ShiftEvidence
from chalicelib.domain.times import stamp
from chalicelib.engine.phase import Definition, Request, Result, Waits
from chalicelib.ports import Aws
from chalicelib.release.shifting import step_s, steps_of, watch_s, weights_at

from .cursor import ShiftCursor
from .observe import NOT_RUN, drives, observe
from .promote import promote, promotes

# Steps of a driven load up to this follow each other within one call; thirteen of them fit the Lambda's time limit.
_SHORT_S = 2


def run(request: Request, aws: Aws) -> Result[ShiftEvidence]:
    """Judge the last step, then take the next one. Raises PhaseFailed: AlarmFired, CanaryWorse, SecretChanged."""
    live_alias = alias_of(aws.functions.aliases(request.names.function), "live")
    candidate = request.results.of(ReleaseEvidence).version
    cursor = request.cursor_as(ShiftCursor)
    live = _version_before(request, live_alias, candidate) if cursor.from_version is None else cursor.from_version
    if live == candidate and not live_alias.weights:
        return _with_secret(_already_there(candidate), request, aws)
    steps = _steps(request)
    if not cursor.steps_taken:
        tested = request.results.find(LoadEvidence) or LoadEvidence()
        cursor = replace(cursor, comparisons=tested.comparisons)
    else:
        percent = steps[cursor.steps_taken - 1]
        cursor = observe(percent, live, candidate, cursor, request, aws)
    if cursor.steps_taken < len(steps):
        return _take_step(steps[cursor.steps_taken], live, candidate, cursor, request, aws)
    return _with_secret(_done(steps, live, candidate, cursor, aws), request, aws)


def unchanged(request: Request, aws: Aws) -> Result[ShiftEvidence] | None:
    """SKIPPED when all traffic is on the candidate's version and no secret version waits; else None."""
    live = aws.functions.aliases(request.names.function).get("live")
    candidate = request.results.of(ReleaseEvidence).version
    if live is None or live.weights or promotes(request):
        return None
    return _already_there(candidate) if _version_before(request, live, candidate) == candidate else None


def _already_there(candidate: str) -> Result[ShiftEvidence]:
    return Result.skipped(f"Version {candidate} already serves all traffic", ShiftEvidence(version=candidate))


def _with_secret(result: Result[ShiftEvidence], request: Request, aws: Aws) -> Result[ShiftEvidence]:
    """The result of moving the traffic, after the pending secret version, if there is one, was promoted."""
    secret = promote(request, aws)
    if secret is None or result.evidence is None:
        return result
    evidence = replace(result.evidence, secret_version=secret.version_id, secret_from=secret.replaces)
    ttl_s = request.config.secret_ttl_s
    text = f"secret version {secret.version_id[:8]} is current; users have it within {ttl_s} s"
    return Result.done(f"{result.summary}; {text}", evidence)


def _version_before(request: Request, live: Alias, candidate: str) -> str:
    """The version that served users before this shift; "" for none.

    Until the last step the alias names it as its main version. If a call took the last step and died before it wrote
    its cursor, only the environment's record names it: acquire_lock had set the alias to the recorded version.
    """
    if live.version != candidate:
        return live.version
    recorded = request.environment.live
    return recorded.version if recorded else ""


def _steps(request: Request) -> list[int]:
    """Percent at each step. A first release takes a single one: there is no good version to compare it with."""
    return steps_of(request.options.bake) if request.environment.last_good else [100]


def _take_step(
    percent: int, live: str, candidate: str, cursor: ShiftCursor, request: Request, aws: Aws
) -> Result[ShiftEvidence]:
    weights = weights_at(live, candidate, percent)
    aws.functions.point(request.names.function, Alias("live", weights.main, weights.additional))
    cursor = replace(
        cursor,
        from_version=live,
        steps_taken=cursor.steps_taken + 1,
        since=cursor.since or request.now.isoformat(),
        weights=(*cursor.weights, (stamp(request.now), percent)),
    )
    seconds = step_s(request.options.bake, embedded=aws.settings.embedded)
    result = Result.in_progress(
        f"{percent} % of the traffic goes to version {candidate}",
        poll_after_s=seconds,
        cursor=cursor,
        evidence=ShiftEvidence(
            from_version=live,
            version=candidate,
            percent=percent,
            judgements=cursor.judgements,
            comparisons=cursor.comparisons,
            weights=cursor.weights,
        ),
    )
    # A load that lasts for the step's seconds is the step, and the bake watches the last one: to wait besides would
    # prove nothing more.
    is_driven = drives(percent, cursor, aws) and seconds <= _SHORT_S
    is_watched = percent >= 100 and watch_s(request.options.bake, embedded=aws.settings.embedded) > 0
    return replace(result, waits=Waits(f"{percent} %", 1)) if is_driven or is_watched else result


def _done(steps: list[int], live: str, candidate: str, cursor: ShiftCursor, aws: Aws) -> Result[ShiftEvidence]:
    plural = "s" * (len(steps) > 1)
    return Result.done(
        f"Moved all traffic from version {live or 'none'} to {candidate} in {len(steps)} step{plural}",
        ShiftEvidence(
            from_version=live,
            version=candidate,
            percent=100,
            steps_percent=tuple(steps),
            judgements=cursor.judgements,
            comparisons=cursor.comparisons,
            live_times=cursor.live_times,
            weights=cursor.weights,
            weights_act=NOT_RUN if aws.settings.embedded else "yes",
        ),
    )


PHASE = Definition(run, ShiftEvidence, ShiftCursor, unchanged=unchanged)
