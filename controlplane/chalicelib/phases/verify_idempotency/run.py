"""Proves that the deployment can be trusted with a second one: the same again changes nothing, one setting changes
without a redeploy, and the candidate goes back and forward.

Only `$LATEST` and the candidate are touched; users never see any of it. What is changed is put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.aws.functions import Alias, FunctionSettings
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint as of
from chalicelib.engine.phase import Definition, Plan, Request, Result
from chalicelib.ports import Aws
from chalicelib.stack.urls import CANDIDATE_PREFIX

# The runner tells which phases would be skipped if the same deployment were asked for now.

_PROBED_VARIABLE = "LOG_LEVEL"
# Lambda says when an update has settled, and an alias is seen everywhere within seconds; past this something is wrong.
_PATIENCE_S = 120
_HEALTH_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class _Step:
    """What one stage answers: the next stage, or that AWS needs a moment; and what it learned."""

    next: str
    learned: Mapping[str, Any]
    wait: bool = False


def fingerprint(request: Request, aws: Aws) -> str:
    """One proof a release is enough."""
    released = request.results.get("release_code", {})
    stack = request.results.get("deploy_stack", {}).get("stack_id")  # version numbers begin again with another one
    return of(stack, released.get("version"), released.get("code_sha256"), request.config)


def run(request: Request, aws: Aws) -> Result:
    stages = {
        "plan": _replan,
        "change": _change,
        "restore": _restore,
        "restored": _restored,
        "back": _back,
        "forward": _forward,
    }
    at = str(request.cursor.get("stage", "plan"))
    learned: dict[str, Any] = dict(request.cursor.get("learned", {}))
    for _ in range(len(stages)):
        step = stages[at](request, aws, learned)
        learned |= step.learned
        if step.wait:
            if request.elapsed_s > _PATIENCE_S:
                raise PhaseFailed(
                    f"stage {at} did not settle within {_PATIENCE_S} s",
                    code="NotSettled",
                    remedy="Try again later.",
                )
            cursor = {"stage": step.next, "learned": learned}
            return Result.in_progress(f"Waiting for Lambda ({step.next})", poll_after_s=1, cursor=cursor)
        at = step.next
        if at == "end":
            break
    told = {key: value for key, value in learned.items() if not key.startswith("_")}
    return Result.done(
        f"{len(told['planned'])} phases would change nothing; one setting changed and came back without a redeploy; "
        f"{told['back_and_forward']}",
        **told,
    )


def _replan(request: Request, aws: Aws, _learned: Mapping[str, Any]) -> _Step:
    """The same deployment again: every phase that acts must see nothing to do."""
    function, released = Names(request.environment.name).function, str(request.results["release_code"]["version"])
    if aws.functions.aliases(function)["candidate"].version != released:
        # A call of ours died on its way back or forward. The plan has seen the candidate there: it is made anew.
        aws.functions.point(function, Alias("candidate", released))
        return _Step("plan", {}, wait=True)
    again = sorted(name for name, skipped in request.plan.items() if not skipped)
    # On a first deployment some phase could not ask yet what only a later one made; the next deployment asks then.
    open_questions = [name for name in again if _left_open(request.results.get(name, {}))]
    would_act = [name for name in again if name not in open_questions]
    if would_act:
        raise PhaseFailed(
            f"the same deployment again would run {', '.join(would_act)} anew",
            code="NotIdempotent",
            remedy="Something outside changed what these phases made, or they see their own work as a change.",
            evidence={"would_act": would_act},
        )
    settled = [name for name in sorted(request.plan) if name not in open_questions]
    return _Step("change", {"planned": settled, "asks_again": open_questions})


def _left_open(evidence: Any) -> bool:
    """Whether a phase said of anything that it was NOT RUN."""
    if isinstance(evidence, Mapping):
        return any(_left_open(value) for value in evidence.values())
    return isinstance(evidence, str) and evidence.startswith("NOT RUN")


def _change(request: Request, aws: Aws, _learned: Mapping[str, Any]) -> _Step:
    """One setting of $LATEST, and nothing else."""
    function = Names(request.environment.name).function
    before = aws.functions.config(function)
    # What it is to go back to is the release's: $LATEST may have been changed already, by a call that died.
    released = aws.functions.config(function, str(request.results["release_code"]["version"]))
    kept = released.environment.get(_PROBED_VARIABLE, "")
    level = "DEBUG" if kept != "DEBUG" else "INFO"
    changed = {**before.environment, _PROBED_VARIABLE: level}
    aws.functions.update_settings(function, FunctionSettings(before.memory_mb, before.timeout_s, changed))
    stack = aws.stacks.find(Names(request.environment.name).stack)
    noted = {
        "_level": kept,
        "_code": before.code_sha256,
        "_stack": stack.updated_at if stack else "",
        "_probe": level,
    }
    return _Step("restore", noted)


def _restore(request: Request, aws: Aws, learned: Mapping[str, Any]) -> _Step:
    """The change must be there, with the same code under it and the stack untouched; then it is taken back."""
    names = Names(request.environment.name)
    seen = aws.functions.config(names.function)
    if seen.update_status == "InProgress":
        return _Step("restore", {}, wait=True)
    stack = aws.stacks.find(names.stack)
    facts = {
        "the setting did not change": seen.environment.get(_PROBED_VARIABLE) == learned["_probe"],
        "the code changed with the setting": seen.code_sha256 == learned["_code"],
        "the stack was updated for it": (stack.updated_at if stack else "") == learned["_stack"],
    }
    if wrong := [fact for fact, holds in facts.items() if not holds]:
        raise PhaseFailed(
            f"changing one setting went wrong: {'; '.join(wrong)}",
            code="SettingNotChangedAlone",
            remedy="Deploy with options.force, which sets the function anew.",
        )
    environment = {**seen.environment, _PROBED_VARIABLE: str(learned["_level"])}
    aws.functions.update_settings(names.function, FunctionSettings(seen.memory_mb, seen.timeout_s, environment))
    return _Step("restored", {"setting_changed_alone": _PROBED_VARIABLE})


def _restored(request: Request, aws: Aws, learned: Mapping[str, Any]) -> _Step:
    seen = aws.functions.config(Names(request.environment.name).function)
    if seen.update_status == "InProgress":
        return _Step("restored", {}, wait=True)
    if seen.environment.get(_PROBED_VARIABLE) != learned["_level"]:
        raise PhaseFailed(
            f"{_PROBED_VARIABLE} did not go back to {learned['_level']}",
            code="SettingNotRestored",
            remedy="Deploy with options.force, which sets the function anew.",
        )
    return _Step("back", {})


def _back(request: Request, aws: Aws, learned: Mapping[str, Any]) -> _Step:
    """The candidate goes to an earlier version, and the API answers from that one."""
    function = Names(request.environment.name).function
    released = str(request.results["release_code"]["version"])
    earlier = learned.get("_earlier")
    if earlier is None:
        earlier = _good_before(request, released, aws)
        if not earlier:
            return _Step("end", {"back_and_forward": "NOT RUN: there is no earlier version to go back to"})
        aws.functions.point(function, Alias("candidate", earlier))
    if _answers_from(request, aws) != earlier:
        return _Step("back", {"_earlier": earlier}, wait=True)
    aws.functions.point(function, Alias("candidate", released))
    return _Step("forward", {"_earlier": earlier})


def _good_before(request: Request, released: str, aws: Aws) -> str:
    """A version that a rollback would take: the newest before may be one that never started. Before the first release
    it is the oldest there is, which the stack made."""
    environment = request.environment
    there = [version.number for version in aws.functions.versions(Names(environment.name).function)]
    good = [one.version for one in (environment.last_good, environment.previous) if one]
    older = [number for number in there if int(number) < int(released)]
    return next((version for version in [*good, *older] if version in there and version != released), "")


def _forward(request: Request, aws: Aws, learned: Mapping[str, Any]) -> _Step:
    released = str(request.results["release_code"]["version"])
    if _answers_from(request, aws) != released:
        return _Step("forward", {}, wait=True)
    told = f"the candidate went back to version {learned['_earlier']} and forward to {released}"
    return _Step("end", {"back_and_forward": told})


def _answers_from(request: Request, aws: Aws) -> str:
    """Which version the candidate's own health says it is; "" while it cannot say."""
    url = str(request.results["deploy_stack"]["api_url"]) + CANDIDATE_PREFIX + "/health"
    reply = aws.endpoint.call("GET", url, signed=True, timeout_s=_HEALTH_TIMEOUT_S)
    told = reply.json()
    return str(told.get("version", "")) if isinstance(told, dict) else ""


PHASE = Definition(run, dict, fingerprint=fingerprint, plan=Plan.AGAIN)
