"""Says what a deployment would do and changes nothing: which phases would run, and with what effect.

For `action: plan`, and before a deploy that carries `options.expected_plan`: that one is refused if the plan is not the
one that was approved. A change set of the existing stack is made, read and deleted; it is never executed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from chalicelib.domain.aws.stacks import ChangeSet
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Plan, Request, Result
from chalicelib.monitoring import alarms
from chalicelib.ports import Aws
from chalicelib.release import release
from chalicelib.stack import inputs, replacements, state

from . import plan

_PATIENCE_S = 600
_NEW = "new: there is no such stack yet"


def run(request: Request, aws: Aws) -> Result:
    # What stands now is what earlier deployments applied: the phases of this one have not run.
    applied = {name: one.evidence for name, one in request.environment.applied.items()}
    informed = replace(request, results={**applied, **request.results})
    change_set = _change_set(informed, aws)
    if change_set is not None and change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        if request.elapsed_s > _PATIENCE_S:
            raise PhaseFailed("CloudFormation did not plan in time", code="PlanTimeout", remedy="Ask again later.")
        return Result.in_progress(
            "CloudFormation is working out what would change", poll_after_s=1, cursor={"asked": True}
        )
    stack = _stack_details(change_set, informed, aws)
    details = {
        "prepare_secret": _secret_details(informed, aws),
        "package_artifact": {"bundle": aws.settings.bundle_key},
        "deploy_stack": stack,
        "configure_monitoring": _alarm_details(informed, aws),
        "release_code": _release_details(informed, aws),
    }
    planned = plan.lines(request.plan, details)
    digest = plan.digest(planned)
    expected = request.options.expected_plan
    if expected and expected != digest:
        raise PhaseFailed(
            f"the plan is {digest} now, and {expected} was approved",
            code="PlanChanged",
            field="options.expected_plan",
            remedy='Look at the new one (POST /deployments with action "plan") and approve that.',
            evidence={"plan": [asdict(line) for line in planned], "digest": digest},
        )
    names = [line.phase for line in planned if line.would != "skip"]
    return Result.done(
        f"Would run {', '.join(names)}" if names else "No change: the environment already runs this release",
        plan=[asdict(line) for line in planned],
        text=plan.text(planned),
        digest=digest,
    )


def _change_set(request: Request, aws: Aws) -> ChangeSet | None:
    """The change set of this plan, asked for on the first call. None for a stack that is not there or cannot be
    updated, and for one whose inputs are not known yet."""
    name = Names(request.environment.name).stack
    stack = aws.stacks.find(name)
    updates = stack is not None and state.next_move(stack.status) is state.Move.UPDATE
    if (
        not updates
        or request.plan.get("deploy_stack")
        or not {"prepare_secret", "package_artifact"} <= set(request.results)
    ):
        return None
    if request.cursor.get("asked"):
        return aws.stacks.change_set(name, inputs.change_set_name(request))
    return aws.stacks.create_change_set(
        name,
        inputs.change_set_name(request),
        template=inputs.text(request, aws),
        parameters=inputs.parameters(request, aws, creates=False),
        tags=Names(request.environment.name).tags,
        creates=False,
    )


def _stack_details(change_set: ChangeSet | None, request: Request, aws: Aws) -> Mapping[str, Any]:
    name = Names(request.environment.name).stack
    if change_set is None:
        stack = aws.stacks.find(name)
        return {"stack": f"{stack.status}" if stack else _NEW}
    aws.stacks.delete_change_set(name, change_set.name)
    if change_set.status == "FAILED" and not state.is_empty(change_set.status, change_set.reason):
        return {"refused": change_set.reason}
    changes = [f"{change.action} {change.logical_id} ({change.resource_type})" for change in change_set.changes]
    lost: Sequence[Any] = replacements.destructive(change_set.changes)
    told: dict[str, Any] = {"changes": changes}
    return told | ({"replacements": [str(one) for one in lost]} if lost else {})


def _secret_details(request: Request, aws: Aws) -> Mapping[str, Any]:
    wanted = request.config.secret_arn or Names(request.environment.name).secret
    info = aws.secrets.find(wanted)
    return {"secret": wanted, "version": info.stages.get("AWSCURRENT", "none") if info else "missing"}


def _alarm_details(request: Request, aws: Aws) -> Mapping[str, Any]:
    """Thresholds that would change, alarms that would come."""
    names = Names(request.environment.name)
    before = {
        alarm.name: alarm.definition.threshold if alarm.definition else None
        for alarm in aws.alarms.find(names.alarm(""))
    }
    outputs = request.results.get("deploy_stack", {}).get("outputs", {})
    wanted = alarms.definitions(names, request.config.alarms, stage=str(outputs.get("StageName", "")), topic_arn="")
    return {"thresholds": plan.differences(before, {alarm.name: alarm.threshold for alarm in wanted})}


def _release_details(request: Request, aws: Aws) -> Mapping[str, Any]:
    """Memory, time limit and variables that would change; the code's digest where it is known already."""
    packaged = request.results.get("package_artifact", {})
    secret = request.results.get("prepare_secret", {})
    if not {"digest", "code_sha256"} <= set(packaged) or "arn" not in secret:
        return {"settings": _NEW}
    wanted = release.wanted(
        request.config,
        environment=request.environment.name,
        digest=str(packaged["digest"]),
        code_sha256=str(packaged["code_sha256"]),
        secret_arn=str(secret["arn"]),
        secret_version=str(secret["version_id"]),
        response_mode=inputs.mode(request, aws),
        runtime=aws.settings.proxy_runtime,
    )
    live = request.environment.live
    try:
        # Not the newest settings: those may be of a candidate that no user ever saw.
        now = aws.functions.config(Names(request.environment.name).function, live.version if live else None)
    except NotFound:
        return {"settings": _NEW}
    before = {"memory_mb": now.memory_mb, "timeout_s": now.timeout_s, **now.environment}
    after = {"memory_mb": wanted.memory_mb, "timeout_s": wanted.timeout_s, **wanted.environment}
    known = request.plan.get("package_artifact")
    code = {"code": wanted.digest} if known else {"code": "known once package_artifact has run"}
    return {"settings": plan.differences(before, after), **code}


PHASE = Definition(run, dict, plan=Plan.AHEAD)
