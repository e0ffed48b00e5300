"""Reads what a plan's lines state: the change set of the existing stack, secret, thresholds, and release settings."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.aws.stacks import ChangeSet
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request
from chalicelib.monitoring import alarms
from chalicelib.ports import Aws
from chalicelib.release import release
from chalicelib.release.release import WantedRelease
from chalicelib.stack import inputs, replacements, state

from .plan import differences

Details = Mapping[str, object]
_NEW = "new: there is no such stack yet"
_UNFINISHED = ("CREATE_PENDING", "CREATE_IN_PROGRESS")


def change_set(request: Request, aws: Aws, *, requested: bool) -> ChangeSet | None:
    """The change set of this plan, created unless a call before has `requested` it; it is never executed.

    None where CloudFormation cannot plan: the stack does not exist, cannot be updated or would not change, or its
    inputs are not there yet.
    """
    stack = aws.stacks.find(request.names.stack)
    updates = stack is not None and state.next_move(stack.status) is state.Move.UPDATE
    inputs_exist = {SecretEvidence.PHASE, ArtifactEvidence.PHASE} <= set(request.results.recorded)
    if not updates or not inputs_exist or request.plan.get("deploy_stack"):
        return None
    name = inputs.change_set_name(request, "plan")
    if requested:
        return aws.stacks.change_set(request.names.stack, name)
    _drop_leftovers(request, aws)
    try:
        return aws.stacks.create_change_set(
            request.names.stack,
            name,
            template=inputs.text(request, aws),
            parameters=inputs.parameters(request, aws, creates=False),
            tags=aws.settings.tags_beside(request.names.tags),
            creates=False,
        )
    except Conflict as conflict:
        if conflict.code != "ChangeSetExists":
            raise
        # An earlier call created it and died. Only this phase may create one of this name, and nobody executes it.
        return aws.stacks.change_set(request.names.stack, name)


def _drop_leftovers(request: Request, aws: Aws) -> None:
    """Delete the change sets of plans that died before they deleted theirs; the environment's lock is ours."""
    for change_set in aws.stacks.change_sets(request.names.stack):
        if change_set.name.startswith(f"{inputs.CHANGE_SET_PREFIX}plan-") and change_set.status not in _UNFINISHED:
            aws.stacks.delete_change_set(request.names.stack, change_set.name)


def details(ready: ChangeSet | None, request: Request, aws: Aws) -> dict[str, Details]:
    """Facts by phase. Deletes the change set `ready`, which has served its purpose."""
    return {
        "prepare_secret": _secret(request, aws),
        "package_artifact": {"bundle": request.bundle(aws)},
        "deploy_stack": _stack(ready, request, aws),
        "configure_monitoring": _thresholds(request, aws),
        "release_code": _release(request, aws),
    }


def _stack(ready: ChangeSet | None, request: Request, aws: Aws) -> Details:
    name = request.names.stack
    if ready is None:
        stack = aws.stacks.find(name)
        return {"stack": stack.status if stack else _NEW}
    aws.stacks.delete_change_set(name, ready.name)
    if ready.status == "FAILED" and not state.is_empty(ready.status, ready.reason):
        return {"refused": ready.reason}
    changes = [f"{change.action} {change.logical_id} ({change.resource_type})" for change in ready.changes]
    losses = [str(loss) for loss in replacements.destructive(ready.changes)]
    return {"changes": changes, "replacements": losses} if losses else {"changes": changes}


def _secret(request: Request, aws: Aws) -> Details:
    name = request.config.secret_arn or request.names.secret
    info = aws.secrets.find(name)
    return {"secret": name, "version": info.stages.get("AWSCURRENT", "none") if info else "missing"}


def _thresholds(request: Request, aws: Aws) -> Details:
    """Thresholds that would change, and alarms that would be created or removed."""
    names, stack = request.names, request.results.find(StackEvidence) or StackEvidence()
    before = {
        alarm.name: alarm.definition.threshold if alarm.definition else None
        for alarm in aws.alarms.find(names.alarm(""))
    }
    stage = stack.outputs.get("StageName", "")
    wanted = alarms.definitions(names, request.config.alarms, stage=stage, topic_arn="")
    return {"thresholds": differences(before, {alarm.name: alarm.threshold for alarm in wanted})}


def _release(request: Request, aws: Aws) -> Details:
    """Memory, time limit and variables that would change, and the code's digest unless a new build decides it."""
    artifact, secret = request.results.find(ArtifactEvidence), request.results.find(SecretEvidence)
    current = _live_settings(request, aws)
    if artifact is None or secret is None or current is None:
        return {"settings": _NEW}
    wanted = _wanted(artifact, secret, request, aws)
    code = wanted.digest if request.plan.get("package_artifact") else "decided when package_artifact has run"
    return {"settings": differences(_settings(current), _settings(wanted)), "code": code}


def _wanted(artifact: ArtifactEvidence, secret: SecretEvidence, request: Request, aws: Aws) -> WantedRelease:
    return release.wanted(
        request.config,
        environment=request.environment.name,
        digest=artifact.digest,
        code_sha256=artifact.code_sha256,
        secret_arn=secret.arn,
        response_mode=inputs.mode(request, aws),
        runtime=aws.settings.proxy_runtime,
    )


def _live_settings(request: Request, aws: Aws) -> FunctionConfig | None:
    """Those of the live version: the newest may belong to a candidate that no user reached."""
    live = request.environment.live
    try:
        return aws.functions.config(request.names.function, live.version if live else None)
    except NotFound:
        return None


def _settings(release: FunctionConfig | WantedRelease) -> Details:
    return {"memory_mb": release.memory_mb, "timeout_s": release.timeout_s, **release.environment}
