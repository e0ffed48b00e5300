"""Puts back what a release ran with outside of its function version: the stack's throttle and retention, and alarms.

For the action `rollback`, once users are on the version; the automatic rollback moves aliases only, since it must not
wait for CloudFormation. The stack keeps its template and all other parameters. What only a deploy could take back is
told, and so is a release of which no settings are on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Environment, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.engine.polling import next_poll_s
from chalicelib.monitoring import alarms
from chalicelib.ports import Aws
from chalicelib.stack import follow, inputs, state, template
from chalicelib.stack.change_set import advance
from chalicelib.stack.state import Move

_PATIENCE_S = 15 * 60
# Made from other settings than those that stand from now on: the next deploy must not skip them.
_OUTDATED = ("deploy_stack", "configure_monitoring")


def run(request: Request, aws: Aws) -> Result:
    version = str(request.results["roll_back"]["version"])
    release = _release(request.environment, version)
    if release is None:
        return Result.skipped(
            f"What version {version} ran with outside of itself is not on record: throttle, log retention and alarms "
            "stay as they are; a deploy with config sets them",
            restored={},
        )
    stack = inputs.must_find(Names(request.environment.name).stack, aws)
    config = decode_lenient(Config, dict(release.config))
    # Deletion protection is no setting of a release: it stays as someone switched it.
    as_then = replace(request, config=replace(config, protected=stack.protected))
    differs = dict(request.cursor.get("differs") or _differing(config, stack))
    try:
        moved = _stack_as_then(as_then, stack, differs, aws)
    except PhaseFailed as failed:
        raise _left(version, differs, failed) from failed
    if moved is not None and moved.status is Status.IN_PROGRESS:
        return replace(moved, cursor={**moved.cursor, "differs": differs})
    count = _alarms_as_then(as_then, stack, aws)
    return _told(version, differs, count, _lasting(config, stack))


def _release(environment: Environment, version: str) -> Release | None:
    """The release of that version, if it is on record what it ran with."""
    return next((one for one in environment.good if one.version == version and one.config), None)


def _differing(config: Config, stack: Stack) -> dict[str, list[str]]:
    """`{parameter: [now, then]}`."""
    then = template.restorable(config)
    return {
        name: [stack.parameters[name], value]
        for name, value in then.items()
        if name in stack.parameters and stack.parameters[name] != value
    }


def _stack_as_then(request: Request, stack: Stack, differs: Mapping[str, list[str]], aws: Aws) -> Result | None:
    """One step of the update; None when there is nothing to update."""
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(f"the stack has not come to rest within {_PATIENCE_S // 60} minutes", code="StackTimeout")
    step = request.cursor.get("step")
    if step == "executing":
        return follow.follow(request, aws)
    if step == "changing":
        change_set = aws.stacks.change_set(stack.name, inputs.change_set_name(request))
        return advance(change_set, False, request, aws, {})
    if not differs:
        return None
    move = state.next_move(stack.status)
    if move is Move.WAIT:
        asked = int(request.cursor.get("asked", 0))
        words = f"Another operation is under way on stack {stack.name} ({stack.status}); waiting for its end"
        return Result.in_progress(words, poll_after_s=next_poll_s(asked), cursor={"asked": asked + 1})
    if move is not Move.UPDATE:
        raise PhaseFailed(f"stack {stack.name} is in {stack.status}", code="StackNeedsHands")
    _forget(request, aws)
    wanted: dict[str, str | None] = {
        **dict.fromkeys(stack.parameters),
        **{name: to for name, (_, to) in differs.items()},
    }
    change_set = aws.stacks.create_change_set(
        stack.name,
        inputs.change_set_name(request),
        template=None,
        parameters=wanted,
        tags=Names(request.environment.name).tags,
        creates=False,
    )
    return advance(change_set, False, request, aws, {})


def _forget(request: Request, aws: Aws) -> None:
    """What these phases brought about stands (others read it), but no longer from the inputs that they know of."""
    for phase in _OUTDATED:
        if applied := request.environment.applied.get(phase):
            changed = replace(applied, fingerprint="settings restored")
            aws.records.set_applied(request.environment.name, phase, changed, holder=request.deployment_id)


def _alarms_as_then(request: Request, stack: Stack, aws: Aws) -> int:
    names = Names(request.environment.name)
    topic = aws.topics.find(names.topic)
    if topic is None:
        return 0  # removed by hand; a revalidation names that
    wanted = alarms.definitions(names, request.config.alarms, stage=stack.outputs["StageName"], topic_arn=topic)
    standing = {one.name: one.definition for one in aws.alarms.find(names.alarm(""))}
    changed = [one for one in wanted if standing.get(one.name) != _as_told(one, standing.get(one.name))]
    for alarm in changed:
        aws.alarms.put(alarm, names.tags)
    return len(changed)


def _as_told(wanted: Alarm, standing: Alarm | None) -> Alarm:
    """`wanted`, without what the embedded cloud does not tell of an alarm that stands: its metric math."""
    if standing is None or standing.metrics:
        return wanted
    return replace(wanted, metrics=standing.metrics, expression=standing.expression)


def _lasting(config: Config, stack: Stack) -> dict[str, list[str]]:
    """What stays: `{parameter: [now, then]}`."""
    then = template.lasting(config, stack.parameters.get("ResponseMode", ""))
    return {
        name: [stack.parameters[name], value]
        for name, value in then.items()
        if name in stack.parameters and stack.parameters[name] != value
    }


def _told(version: str, differs: Mapping[str, list[str]], count: int, stays: Mapping[str, list[str]]) -> Result:
    words = _listed(differs) or "Throttle and log retention are as they were with it"
    words += f"; {count} alarms as they were" if count else ""
    if stays:
        words += f". NOT taken back, since only a deploy changes it: {_listed(stays)}"
    evidence: dict[str, Any] = {"restored": dict(differs), "alarms": count, "stays": dict(stays)}
    if differs or count:
        return Result.done(f"Settings of version {version}: {words}", **evidence)
    return Result.skipped(f"Settings of version {version}: {words}", **evidence)


def _listed(pairs: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{name} {now or 'none'} -> {then or 'none'}" for name, (now, then) in pairs.items())


def _left(version: str, differs: Mapping[str, list[str]], failed: PhaseFailed) -> PhaseFailed:
    stands = ", ".join(f"{name} {now} (it ran with {then})" for name, (now, then) in differs.items())
    return PhaseFailed(
        f"users are on version {version}, but the stack still has {stands}: {failed.message}",
        code="SettingsNotRestored",
        remedy="Send the rollback again once the stack is at rest; or deploy with config as that version had it "
        "(GET /environments shows it under live).",
        evidence={"stays": dict(differs), **failed.evidence},
    )


PHASE = Definition(run, dict)
