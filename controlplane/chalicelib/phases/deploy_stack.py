"""Phase 4: brings the environment's CloudFormation stack to its template, by change sets, resource by resource.

One call does one step and answers; what it waits for is in the cursor. Whatever a call finds, also after a crash, it
decides from the stack's state (core/stack_state.py). Code is not this phase's matter: release_code updates that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core import artifact, stack_state, template, urls
from ..core.contract import Request, Result
from ..core.fingerprints import fingerprint as fingerprint_of
from ..core.naming import Names
from ..core.polling import next_poll_s
from ..core.stack_state import Move
from ..errors import NotFound, PhaseFailed
from ..ports import Aws
from ..ports.stacks import ChangeSet, Stack, StackEvent

OURS = "proxyctl-"  # how the names of our change sets begin
_PATIENCE_S = 60 * 60
_ATTEMPTS = 2  # deletions, or continued rollbacks, before a person must look
_NOW_WAIT = (Move.WAIT, Move.DELETE, Move.CONTINUE_ROLLBACK)


def fingerprint(request: Request, aws: Aws) -> str:
    """Template, parameters, tags and protection; and that the stack stands."""
    names = Names(request.environment.name)
    stack = aws.stacks.find(names.stack)
    stands = stack is not None and stack_state.next_move(stack.status) is Move.UPDATE
    return fingerprint_of(
        _text(request, aws),
        _parameters(request, aws, creates=False),
        names.tags,
        request.config.protected,
        stack.id if stack and stands else "",
    )


def run(request: Request, aws: Aws) -> Result:
    if request.elapsed_s > _PATIENCE_S:
        raise PhaseFailed(
            f"the stack has not come to rest within {_PATIENCE_S // 60} minutes",
            code="StackTimeout",
            remedy="Look at its events in the CloudFormation console; deploy again when it has settled.",
            evidence={"resources": dict(request.cursor.get("resources", {}))},
        )
    step = request.cursor.get("step")
    if step == "executing":
        return _follow(request, aws)
    if step == "changing":
        return _after_change_set(request, aws)
    return _begin(request, aws)


def _begin(request: Request, aws: Aws) -> Result:
    """Look at the stack, and do what its state asks for first."""
    names = Names(request.environment.name)
    stack = aws.stacks.find(names.stack)
    move = stack_state.next_move(stack.status if stack else None)
    if stack is not None and move in _NOW_WAIT:
        return _settle(stack, move, request, aws)
    if stack is not None and move is Move.REFUSE:
        raise PhaseFailed(
            f"stack {stack.name} is in {stack.status}: {stack.reason or 'no reason given'}",
            code="StackNeedsHands",
            remedy="Bring it to a *_COMPLETE state in the CloudFormation console, then deploy again.",
            evidence={"stack_id": stack.id, "status": stack.status},
        )
    creates = move is Move.CREATE
    _refuse_mode_switch(stack, request, aws)
    left = _drop_leftovers(request, aws)
    wanted = _parameters(request, aws, creates=creates)
    change_set = aws.stacks.create_change_set(
        names.stack,
        _change_set_name(request),
        template=_text(request, aws),
        parameters=wanted,
        tags=names.tags,
        creates=creates,
    )
    return _judge(change_set, creates, request, aws, {"removed_change_sets": left} if left else {})


def _settle(stack: Stack, move: Move, request: Request, aws: Aws) -> Result:
    """Wait for what is happening, or start what must happen before a change set can be made."""
    names = Names(request.environment.name)
    asked, tried = int(request.cursor.get("asked", 0)), int(request.cursor.get("tried", 0))
    seen = request.cursor.get("seen", "")
    if move is not Move.WAIT and (seen != stack.status or tried == 0):
        if tried >= _ATTEMPTS:
            raise _stuck(stack, aws)
        if move is Move.DELETE:
            _refuse_deleting_the_living(stack, request)
            aws.stacks.delete(names.stack, _token(request, f"delete-{tried}"))
        else:
            aws.stacks.continue_rollback(names.stack, _token(request, f"continue-{tried}"))
        tried, asked, seen = tried + 1, 0, stack.status
    elif move is not Move.WAIT:
        raise _stuck(stack, aws)
    else:
        seen = stack.status
    words = {
        Move.WAIT: f"Another operation is under way on stack {stack.name} ({stack.status}); waiting for its end",
        Move.DELETE: f"Stack {stack.name} was in {stack.status}, holding nothing that works: deleting it first",
        Move.CONTINUE_ROLLBACK: f"Stack {stack.name} was in {stack.status}: continuing its rollback first",
    }
    return Result.in_progress(
        words[move],
        poll_after_s=next_poll_s(asked),
        cursor={"step": "settling", "asked": asked + 1, "tried": tried, "seen": seen},
        found=stack.status,
    )


def _stuck(stack: Stack, aws: Aws) -> PhaseFailed:
    cause = stack_state.root_cause(list(aws.stacks.events(stack.id))[-50:])
    return PhaseFailed(
        f"stack {stack.name} stays in {stack.status}: {cause or stack.reason or 'no reason given'}",
        code="StackStuck",
        remedy="Remove what the named resource is held by (or skip it in the CloudFormation console), then deploy again.",
        evidence={"stack_id": stack.id, "status": stack.status},
    )


def _refuse_deleting_the_living(stack: Stack, request: Request) -> None:
    """DELETE_FAILED may be a clean-up that stopped half way, of an environment that nobody has given up since."""
    if stack.status == "DELETE_FAILED" and request.environment.live and not request.options.allow_replacement:
        raise PhaseFailed(
            f"stack {stack.name} is in DELETE_FAILED, and the environment has a live version",
            code="StackNeedsHands",
            field="options.allow_replacement",
            remedy="Deploy with options.allow_replacement to delete what is left and make it anew.",
            evidence={"stack_id": stack.id},
        )


def _refuse_mode_switch(stack: Stack | None, request: Request, aws: Aws) -> None:
    """The API speaks one mode to both aliases, and the live version the one that it was released with."""
    before = stack.parameters.get("ResponseMode") if stack else None
    wanted = _mode(request, aws)
    if before in (None, wanted) or not request.environment.live or request.options.allow_replacement:
        return
    raise PhaseFailed(
        f"changing response_mode from {before} to {wanted} breaks the live version until the new one is live",
        code="ReplacementRefused",
        field="config.response_mode",
        remedy="Deploy with options.allow_replacement in a quiet hour, or deploy a second environment.",
    )


def _drop_leftovers(request: Request, aws: Aws) -> list[str]:
    """Change sets of ours that a crash left behind."""
    stack = Names(request.environment.name).stack
    own = _change_set_name(request)
    left = [one.name for one in aws.stacks.change_sets(stack) if one.name.startswith(OURS) and one.name != own]
    for name in left:
        aws.stacks.delete_change_set(stack, name)
    return left


def _after_change_set(request: Request, aws: Aws) -> Result:
    stack = Names(request.environment.name).stack
    try:
        change_set = aws.stacks.change_set(stack, _change_set_name(request))
    except NotFound:
        return _begin(request, aws)  # executed already, and gone with it: the stack tells what came of it
    return _judge(change_set, bool(request.cursor.get("creates")), request, aws, {})


def _judge(change_set: ChangeSet, creates: bool, request: Request, aws: Aws, more: Mapping[str, Any]) -> Result:
    """A change set is made, being made, empty, refused, or executed."""
    names = Names(request.environment.name)
    if change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        asked = int(request.cursor.get("asked", 0))
        return Result.in_progress(
            "CloudFormation is working out what would change",
            poll_after_s=next_poll_s(asked),
            cursor={"step": "changing", "creates": creates, "asked": asked + 1},
            **more,
        )
    if stack_state.is_empty(change_set.status, change_set.reason):
        aws.stacks.delete_change_set(names.stack, change_set.name)
        stack = _must_find(names.stack, aws)
        return _ended(stack, "Nothing to change: the stack is as its template says", {}, request, aws, changes=[], **more)
    if change_set.status == "FAILED":
        aws.stacks.delete_change_set(names.stack, change_set.name)
        raise PhaseFailed(
            f"CloudFormation refused the change set: {change_set.reason}",
            code="ChangeSetFailed",
            remedy="Correct what the reason names, in config or in proxy/template.yaml.",
        )
    if change_set.execution == "AVAILABLE":
        _refuse_losses(change_set, request, aws)
        before = _last_event(names.stack, aws)
        aws.stacks.execute(names.stack, change_set.name, _token(request, "execute"))
    else:
        before = ""
    stack_id = _must_find(names.stack, aws).id
    return Result.in_progress(
        f"Changing {len(change_set.changes)} resources",
        poll_after_s=1,
        cursor={
            "step": "executing",
            "stack_id": stack_id,
            "since": before,
            "last": before,
            "resources": {},
            "changes": [_told(change) for change in change_set.changes],
        },
        changes=[_told(change) for change in change_set.changes],
        **more,
    )


def _told(change: Any) -> str:
    text = f"{change.action} {change.logical_id} ({change.resource_type})"
    if change.action == "Modify":
        text += f": {', '.join(change.because)}"
    return text + (", replaced" if change.action == "Modify" and stack_state.is_lost(change) else "")


def _refuse_losses(change_set: ChangeSet, request: Request, aws: Aws) -> None:
    lost = stack_state.losses(change_set.changes)
    if not lost or request.options.allow_replacement:
        return
    aws.stacks.delete_change_set(Names(request.environment.name).stack, change_set.name)
    raise PhaseFailed(
        "this deployment " + "; ".join(map(str, lost)),
        code="ReplacementRefused",
        field="options.allow_replacement",
        remedy="If that is what you want, deploy with options.allow_replacement.",
        evidence={"losses": [str(loss) for loss in lost]},
    )


def _follow(request: Request, aws: Aws) -> Result:
    """Tell what happened since the last call, and whether it is over."""
    cursor = request.cursor
    stack_id = str(cursor["stack_id"])
    fresh = aws.stacks.events(stack_id, after=str(cursor["last"]))
    resources = {**cursor["resources"], **_by_resource(fresh)}
    # By ID: a creation that failed has deleted the stack, and its name finds nothing any more.
    stack = _must_find(stack_id, aws)
    if stack_state.in_progress(stack.status):
        asked = int(cursor.get("asked", 0))
        finished = sum(status.endswith("_COMPLETE") for status in resources.values())
        return Result.in_progress(
            f"{stack.status}: {finished} of {len(cursor['changes'])} resources done",
            poll_after_s=next_poll_s(asked),
            cursor={
                **cursor,
                "asked": asked + 1,
                "resources": resources,
                "last": fresh[-1].id if fresh else cursor["last"],
            },
            resources=resources,
            changes=cursor["changes"],
        )
    if not stack_state.succeeded(stack.status):
        raise _failed(stack, aws.stacks.events(stack_id, after=str(cursor["since"])), resources)
    count = len(cursor["changes"])
    words = f"{count} resource{'s' * (count != 1)} changed, stack is in {stack.status}"
    return _ended(stack, words, resources, request, aws, changes=cursor["changes"])


def _by_resource(events: Sequence[StackEvent]) -> dict[str, str]:
    return {event.logical_id: event.status for event in events if event.resource_type != "AWS::CloudFormation::Stack"}


def _failed(stack: Stack, events: Sequence[StackEvent], resources: Mapping[str, str]) -> PhaseFailed:
    cause = stack_state.root_cause(events)
    return PhaseFailed(
        f"stack {stack.name} ended in {stack.status}: {cause or stack.reason or 'no reason given'}",
        code="StackFailed",
        field=cause.logical_id if cause else None,
        remedy="Correct what the reason names and deploy again; the stack is back where it was.",
        evidence={"stack_id": stack.id, "status": stack.status, "cause": str(cause or ""), "resources": dict(resources)},
    )


def _ended(
    stack: Stack, words: str, resources: Mapping[str, str], request: Request, aws: Aws, **more: Any
) -> Result:
    if stack.protected != request.config.protected:
        aws.stacks.protect(stack.name, request.config.protected)
        words += f"; deletion protection is {'on' if request.config.protected else 'off'} now"
    endpoint = aws.settings.endpoint_url
    return Result.done(
        words,
        stack_id=stack.id,
        status=stack.status,
        updated_at=stack.updated_at,
        outputs=dict(stack.outputs),
        api_url=urls.api_url(stack.outputs, endpoint),
        base_url=urls.base_url(stack.outputs, endpoint),
        resources=dict(resources),
        protected=request.config.protected,
        **more,
    )


def _must_find(stack: str, aws: Aws) -> Stack:
    found = aws.stacks.find(stack)
    if found is None:
        raise PhaseFailed(
            f"stack {stack} has vanished", code="StackVanished", remedy="Someone deleted it: deploy again."
        )
    return found


def _last_event(stack: str, aws: Aws) -> str:
    events = aws.stacks.events(_must_find(stack, aws).id)
    return events[-1].id if events else ""


def _change_set_name(request: Request) -> str:
    return f"{OURS}{request.deployment_id}"[:128]


def _token(request: Request, what: str) -> str:
    return f"{request.deployment_id}-{what}"[-128:]


def _mode(request: Request, aws: Aws) -> str:
    return request.config.response_mode or aws.settings.response_mode


def _parameters(request: Request, aws: Aws, *, creates: bool) -> dict[str, str | None]:
    secret = request.results["prepare_secret"]
    given = template.Given(
        environment=request.environment.name,
        bucket=aws.settings.bucket,
        artifact_key=str(request.results["package_artifact"]["key"]),
        secret_arn=str(secret["arn"]),
        kms_key_arn=str(secret.get("kms_key", "")),
        runtime=aws.settings.proxy_runtime,
        response_mode=_mode(request, aws),
        access_logs=bool(aws.gateway.account().log_role),
    )
    return template.parameters(request.config, given, creates=creates)


def _text(request: Request, aws: Aws) -> str:
    """The bundle's template, with the API's digest in it."""
    raw = artifact.unpack(aws.artifacts.get(aws.settings.bundle_key))["template.yaml"].decode()
    return template.with_snapshot(raw, template.shaping(_parameters(request, aws, creates=True)))
