"""Removes a whole environment, and proves that it is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.artifacts.assembly import is_artifact_key
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws
from chalicelib.stack import failure, state

from . import inventory, search
from .inventory import Thing

_PATIENCE_S = 45 * 60
_ATTEMPTS = 2
# Lambda hands in its last log lines late, and makes the group anew if it may.
_SETTLE_S, _SETTLE_EMBEDDED_S = 60, 2
# Resource Groups Tagging goes on listing what was deleted, for minutes.
_TAG_LOOKS, _TAG_LOOKS_EMBEDDED = 20, 1


def remove(request: Request, aws: Aws) -> Result:
    """One step a call: what only watches goes first, then the stack, then what is stored; then the proof."""
    step = request.cursor.get("step", "begin")
    if step == "begin":
        return _begin(request, aws)
    if step == "deleting":
        return _follow(request, aws)
    return _prove(request, aws)


def _begin(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    stack = aws.stacks.find(names.stack)
    _refuse_protected(request, protected=stack is not None and stack.protected)
    _refuse_foreign_objects(names, aws)
    found = search.by_name(names, aws)
    counts = _counts(found)
    _remove_watchers(names, aws)
    if stack is None:
        return _remove_rest(request, aws, counts)
    if state.in_progress(stack.status) and stack.status != "DELETE_IN_PROGRESS":
        return _wait(request, f"Stack {names.stack} is in {stack.status}; waiting for it to settle", {})
    for change_set in aws.stacks.change_sets(names.stack):
        aws.stacks.delete_change_set(names.stack, change_set.name)
    aws.stacks.delete(names.stack, f"{request.deployment_id}-remove-0")
    cursor = {"step": "deleting", "stack_id": stack.id, "found": counts, "tried": 1}
    return _wait(request, f"Deleting stack {names.stack}", cursor)


def _wait(request: Request, words: str, cursor: Mapping[str, Any]) -> Result:
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"{words}, for {request.elapsed_s / 60:.0f} minutes",
            code="RemovalTimeout",
            remedy="Look at the stack's events in the CloudFormation console, then clean up again.",
        )
    asked = int(request.cursor.get("asked", 0)) + 1
    return Result.in_progress(words, poll_after_s=next_poll_s(asked), cursor={**cursor, "asked": asked})


def _refuse_protected(request: Request, *, protected: bool) -> None:
    live = request.environment.live
    recorded = bool(live and live.config.get("protected"))
    if protected or recorded:
        raise PhaseFailed(
            f"environment {request.environment.name} is protected against deletion",
            code="Protected",
            field="config.protected",
            remedy="Deploy it with config.protected false first, then clean up.",
        )


def _refuse_foreign_objects(names: Names, aws: Aws) -> None:
    """Only what package_artifact made is ours to delete; someone's backup is not."""
    foreign = [key for key in aws.artifacts.keys(names.artifacts_prefix) if not is_artifact_key(key)]
    if foreign:
        raise PhaseFailed(
            f"{len(foreign)} objects under {names.artifacts_prefix} are not ours: {', '.join(foreign[:5])}",
            code="ForeignObjects",
            remedy=f"Move them away (aws s3 ls s3://{aws.settings.bucket}/{names.artifacts_prefix}), then clean up.",
            evidence={"foreign": foreign[:100]},
        )


def _counts(things: Sequence[Thing]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for thing in things:
        counts[thing.kind] = counts.get(thing.kind, 0) + 1
    return counts


def _remove_watchers(names: Names, aws: Aws) -> None:
    """Before the stack, or its end would set the alarms off. Metric filters go with their log group."""
    aws.alarms.delete([alarm.name for alarm in aws.alarms.find(names.alarm(""))])
    aws.alarms.delete_dashboards([name for name in aws.alarms.dashboards(names.dashboard) if name == names.dashboard])
    for query in aws.logs.queries(names.queries) if aws.logs.keeps_queries() else ():
        aws.logs.delete_query(query.id)
    topic = aws.topics.find(names.topic)
    if topic:
        aws.topics.delete(topic)
    for queue in aws.topics.probes(names.probes):
        aws.topics.delete_queue(queue)


def _follow(request: Request, aws: Aws) -> Result:
    cursor = request.cursor
    stack = aws.stacks.find(str(cursor["stack_id"]))
    status = stack.status if stack else "DELETE_COMPLETE"
    if stack is None or status == "DELETE_COMPLETE":
        return _remove_rest(request, aws, cursor["found"])
    if status == "DELETE_FAILED":
        tried = int(cursor["tried"])
        if tried >= _ATTEMPTS:
            cause = failure.root_cause(list(aws.stacks.events(stack.id))[-50:])
            raise PhaseFailed(
                f"stack {stack.name} could not be deleted: {cause or stack.reason}",
                code="StackDeleteFailed",
                field=cause.logical_id if cause else None,
                remedy="Remove what holds the named resource, then clean up again.",
                evidence={"stack_id": stack.id, "status": status},
            )
        aws.stacks.delete(stack.name, f"{request.deployment_id}-remove-{tried}")
        return _wait(request, f"Deleting stack {stack.name} once more", {**cursor, "tried": tried + 1})
    return _wait(request, f"Stack {stack.name} is in {status}", cursor)


def _remove_rest(request: Request, aws: Aws, found: Mapping[str, int]) -> Result:
    """What the stack does not own: artifacts, load-test data, the secret as asked, and log groups that came back."""
    names = Names(request.environment.name)
    aws.artifacts.delete([*aws.artifacts.keys(names.artifacts_prefix), *aws.artifacts.keys(names.baselines_prefix)])
    _remove_log_groups(names, aws)
    secret = _remove_secret(request, names, aws)
    settle = _SETTLE_EMBEDDED_S if aws.settings.embedded else _SETTLE_S
    return Result.in_progress(
        f"Everything is deleted; looking again in {settle} s, when late log lines have arrived",
        poll_after_s=settle,
        cursor={"step": "prove", "found": dict(found), "secret": secret, "looks": 0},
    )


def _remove_log_groups(names: Names, aws: Aws) -> int:
    groups = (names.log_group, names.access_log_group)
    left = [group.name for prefix in groups for group in aws.logs.groups(prefix) if group.name == prefix]
    for group in left:
        aws.logs.delete_group(group)
    return len(left)


def _remove_secret(request: Request, names: Names, aws: Aws) -> str:
    """Only the environment's own, with the webhook's signing key: an adopted one belongs to someone else."""
    found = {name: info for name in names.secrets if (info := aws.secrets.find(name))}
    if not found:
        return "there was none"
    if not request.options.remove_secret:
        return "kept, as options.remove_secret was not set"
    days = request.options.secret_recovery_days
    if days and all(info.doomed for info in found.values()):
        return "its deletion was scheduled already"
    for name, info in found.items():
        if not (info.doomed and days):
            aws.secrets.delete(name, days)
    return f"deleted, recoverable for {days} days" if days else "deleted at once"


def _prove(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    cursor = request.cursor
    late = _remove_log_groups(names, aws)
    looks = int(cursor["looks"])
    if late and looks < _ATTEMPTS:
        return Result.in_progress(
            f"{late} log groups came back with late lines, and were deleted again",
            poll_after_s=next_poll_s(looks + 2),
            cursor={**cursor, "looks": looks + 1},
        )
    left = [thing for thing in search.everything(names, aws) if not _may_stay(thing, request)]
    most = _TAG_LOOKS_EMBEDDED if aws.settings.embedded else _TAG_LOOKS
    tag_looks = int(cursor.get("tag_looks", 0))
    if left and all(thing.found_by == "tag" for thing in left) and tag_looks < most:
        return Result.in_progress(
            f"{len(left)} things are gone by name and still listed by tag: looking again",
            poll_after_s=next_poll_s(tag_looks + 2),
            cursor={**cursor, "tag_looks": tag_looks + 1},
        )
    if left:
        listed = inventory.listed(left, aws.settings.region)
        raise PhaseFailed(
            f"{len(left)} things are left: {', '.join(map(str, left[:5]))}",
            code="SomethingLeft",
            remedy="; ".join(item["command"] for item in listed[:5]),
            evidence={"left": listed},
        )
    found: Mapping[str, int] = cursor["found"]
    total = sum(found.values())
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(found.items())) or "nothing"
    return Result.done(
        f"Removed {total} things ({told}); nothing is left by name or by tag; secret: {cursor['secret']}",
        removed=dict(found),
        secret=cursor["secret"],
        left=[],
        looked_for=["by name, service by service", "by tag, through Resource Groups Tagging"],
    )


def _may_stay(thing: Thing, request: Request) -> bool:
    """The secret that was to be kept, or that waits for the end of its recovery window."""
    if thing.kind != "secret":
        return False
    return not request.options.remove_secret or request.options.secret_recovery_days > 0
