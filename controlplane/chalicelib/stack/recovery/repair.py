"""Finds what was deleted or changed underneath an environment's stack, and makes it again.

What has a name of its own is made again under that name, and CloudFormation owns it as before. A policy of the proxy's
role is set by the stack itself: another value of the parameter `Repair` makes CloudFormation write it again. An API, a
function or a role comes back by updates of its own (rebuild.py), in the next deploy.
A role without the permissions boundary, taken off by hand or of an environment older than the boundary, gets it before
the stack changes: CloudFormation's role may write policies only of roles that carry it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.aws.gateway import AccessLog
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import Request, Result, applied_as
from chalicelib.ports import Aws
from chalicelib.stack import inputs, look, template

from .losses import Kind, Loss, Standing, Wanted, losses, permission, permits, stages

_POLICY = "proxy"  # the name of the role's inline policy in proxy/template.yaml
# What others need comes first.
_ORDER: tuple[Kind, ...] = (
    "API",
    "function",
    "role",
    "permissions boundary of role",
    "alias",
    "permission of alias",
    "log group",
    "stage",
    "role policy",
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """lines: one for each resource that was made again. policy: whether the stack must write the role's policy."""

    lines: tuple[str, ...] = ()
    policy: bool = False


_ROLE_READS = "reads of the role"
_ROLE_POLLS = 5  # with the pauses of `Request.wait` about 15 s


def wait_for_role(lost: Iterable[Loss], request: Request, cursor: object) -> Result[StackEvidence] | None:
    """IN_PROGRESS, with `cursor`, while a missing role policy may be the first sign of a deleted role; else None.

    IAM's reads are eventually consistent: the policy may read as deleted while the role, which went with it, still
    reads as existing. Writing the policy of a role that is gone fails the stack's update, and its rollback, too.
    """
    gone = {loss.kind for loss in lost if loss.state == "deleted"}
    looked = request.waits.count if request.waits.step == _ROLE_READS else 0
    if "role policy" not in gone or looked >= _ROLE_POLLS:
        return None
    summary = "The policy of the proxy's role is missing: looking again whether the role itself was deleted"
    return request.wait(summary, step=_ROLE_READS, cursor=cursor)


def find_losses(stack: Stack, request: Request, aws: Aws) -> tuple[Loss, ...]:
    """What is not as the stack left it; nothing is changed."""
    wanted = _wanted(stack, request, aws)
    return losses(_standing(stack, wanted, request, aws), wanted)


def refuse_what_a_deploy_makes_again(lost: Iterable[Loss], request: Request) -> None:
    """Raises PhaseFailed (ApiGone, FunctionGone, RoleGone) for what only the beginning of a deploy brings back: what is
    released now was checked without it."""
    remedy = f"Deploy {request.environment.name} again: deploy_stack makes it again."
    for loss in lost:
        if loss.kind == "API":
            meaning = "and the address that users call with it"
            raise PhaseFailed(f"{loss}, {meaning}", code="ApiGone", field=loss.name, remedy=remedy)
        if loss.kind == "role":
            meaning = "and the proxy works until its processes end"
            raise PhaseFailed(f"{loss}, {meaning}", code="RoleGone", field=loss.name, remedy=remedy)
        if loss.kind == "function":
            raise PhaseFailed(f"{loss}, and its versions with it", code="FunctionGone", field=loss.name, remedy=remedy)


def repair(lost: Iterable[Loss], stack: Stack, request: Request, aws: Aws) -> Repaired:
    """Make again what can be made again in place; of an API, a function or a role the line says that a deploy does."""
    in_order = sorted(lost, key=lambda loss: _ORDER.index(loss.kind))
    kinds = {loss.kind for loss in in_order}
    lines = tuple(f"{loss}: {_mend(loss, stack, request, aws)}" for loss in in_order)
    return Repaired(lines, policy="role policy" in kinds)


def _mend(loss: Loss, stack: Stack, request: Request, aws: Aws) -> str:
    match loss.kind:
        case "API" | "function" | "role":
            return "the next deploy makes it again"
        case "permissions boundary of role":
            aws.identity.set_boundary(loss.name, aws.settings.boundary_arn)
            return "set"
        case "alias":
            version = version_for_alias(request, aws)
            make_alias(loss.name, version, request, aws)
            return f"made again on version {version}"
        case "permission of alias":
            _permit(loss.name, stack, request, aws)
            return "given again"
        case "log group":
            return _mend_log_group(loss, request, aws)
        case "stage":
            return _mend_stage(loss, stack, request, aws)
        case _:
            return "written again by the stack"


def mark(request: Request) -> str:
    """The value of the parameter `Repair` that makes the stack write the role's policy again."""
    return request.deployment_id.replace("-", "")


def make_alias(name: str, version: str, request: Request, aws: Aws) -> None:
    """Make a deleted alias again, with the permission that went with it. Nothing happens when both exist."""
    aws.functions.create_alias(request.names.function, Alias(name, version))
    stack = aws.stacks.find(request.names.stack)
    if stack is not None:
        _permit(name, stack, request, aws)


def role_policy(request: Request, aws: Aws) -> str:
    """Digest of the policy of the proxy's role, "" without one."""
    role = look.role_name(aws.stacks.find(request.names.stack), request.names, aws.settings.region)
    return policy_digest(role, aws)


def policy_digest(role: str, aws: Aws) -> str:
    """The same, of the role of that name."""
    policy = aws.identity.role_policy(role, _POLICY)
    return fingerprint(policy) if policy else ""


def _api(stack: Stack) -> str:
    return stack.outputs.get("ApiId", "")


def _wanted(stack: Stack, request: Request, aws: Aws) -> Wanted:
    names, applied = request.names, applied_as(request.environment, StackEvidence)
    return Wanted(
        api=_api(stack),
        function=names.function,
        role=look.role_name(stack, names, aws.settings.region),
        role_policy=applied.role_policy if applied else "",
        log_groups=(names.log_group, names.access_log_group),
        stages=stages(stack, aws.stacks.resources(stack.name)),
    )


def _standing(stack: Stack, wanted: Wanted, request: Request, aws: Aws) -> Standing:
    aliases, api = _aliases(request, aws), _api(stack)
    read = {name: aws.gateway.stage(api, name) for name in wanted.stages}
    return Standing(
        api=not api or aws.gateway.exists(api),
        function=aliases is not None,
        role=aws.identity.role_arn(wanted.role) is not None,
        bounded=aws.identity.boundary(wanted.role) in (None, aws.settings.boundary_arn),
        role_policy=policy_digest(wanted.role, aws),
        aliases=aliases or (),
        permitted=tuple(
            name for name in aliases or () if permits(aws.functions.permissions(wanted.function, name), api)
        ),
        log_groups=tuple(
            group.name for name in wanted.log_groups for group in aws.logs.groups(name) if group.name == name
        ),
        stages={name: state for name, state in read.items() if state is not None},
    )


def _aliases(request: Request, aws: Aws) -> tuple[str, ...] | None:
    """None when the function does not exist."""
    try:
        return tuple(sorted(aws.functions.aliases(request.names.function)))
    except NotFound:
        return None


def _permit(alias: str, stack: Stack, request: Request, aws: Aws) -> None:
    """Let API Gateway call the alias. Nothing happens when it may, as after the alias was made again."""
    if permits(aws.functions.permissions(request.names.function, alias), _api(stack)):
        return
    account = aws.settings
    prefix = f"arn:{account.partition}:execute-api:{account.region}:{account.account}:{_api(stack)}"
    owned = aws.stacks.resources(stack.name)
    wanted = permission(alias, prefix, stack.outputs.get("StageName", "api"), owned)
    aws.functions.permit(request.names.function, alias, wanted)


def _mend_log_group(loss: Loss, request: Request, aws: Aws) -> str:
    aws.logs.create_group(loss.name, aws.settings.tags_beside(request.names.tags), aws.settings.kms_key_arn)
    aws.logs.set_retention(loss.name, _retention_days(request))
    return "made again, without its lines"


def _retention_days(request: Request) -> int:
    good = request.environment.last_good
    return decode_lenient(Config, dict(good.config)).log_retention_days if good else request.config.log_retention_days


def _mend_stage(loss: Loss, stack: Stack, request: Request, aws: Aws) -> str:
    state = stages(stack, aws.stacks.resources(stack.name))[loss.name]
    if loss.state == "changed":
        aws.gateway.set_stage(_api(stack), loss.name, state)
        return "put back"
    aws.gateway.create_stage(
        _api(stack), loss.name, state, _access_log(stack, request, aws), aws.settings.tags_beside(request.names.tags)
    )
    return "made again"


def _access_log(stack: Stack, request: Request, aws: Aws) -> AccessLog | None:
    """As the template has it; None where the stack writes none."""
    if stack.parameters.get("AccessLogs") != "on":
        return None
    account = aws.settings
    prefix = f"arn:{account.partition}:logs:{account.region}:{account.account}:log-group"
    text = template.access_log_format(inputs.bundled(request.bundle(aws), aws))
    return AccessLog(f"{prefix}:{request.names.access_log_group}", text) if text else None


def version_for_alias(request: Request, aws: Aws) -> str:
    """The version that users shall have: the last good one, or before the first release the oldest, which is closed."""
    good = request.environment.last_good
    versions = [version.number for version in aws.functions.versions(request.names.function)]
    return good.version if good and good.version in versions else versions[0]
