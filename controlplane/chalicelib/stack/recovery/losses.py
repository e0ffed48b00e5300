"""What was deleted or changed underneath an environment's stack. CloudFormation sees none of it in a change set, which
compares templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from chalicelib.domain.aws.functions import Permission
from chalicelib.domain.aws.gateway import StageState
from chalicelib.domain.aws.stacks import Stack, StackResource

ALIASES = ("live", "candidate")
GATEWAY = "apigateway.amazonaws.com"
_PERMISSION_TYPE = "AWS::Lambda::Permission"
_PERMISSION_OF = {"live": "LivePermission", "candidate": "CandidatePermission"}  # logical ids in proxy/template.yaml
# Outputs that name a stage and its snapshot, and the parameters of its throttle.
_STAGES = (
    ("StageName", "Snapshot", "ThrottleRate", "ThrottleBurst"),
    ("CandidateStageName", "CandidateSnapshot", "CandidateThrottleRate", "CandidateThrottleBurst"),
)

Kind = Literal[
    "API",
    "function",
    "role",
    "permissions boundary of role",
    "role policy",
    "alias",
    "permission of alias",
    "log group",
    "stage",
]
# What a resource is gone with.
_PART_OF: Mapping[Kind, frozenset[Kind]] = {
    "alias": frozenset({"function"}),
    "permission of alias": frozenset({"function", "API"}),
    "stage": frozenset({"API"}),
    "role policy": frozenset({"role"}),
}


@dataclass(frozen=True, slots=True)
class Loss:
    """One resource that is not as the stack left it. detail: what differs, "" for a deleted one."""

    kind: Kind
    name: str
    state: Literal["deleted", "changed"] = "deleted"
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.kind} {self.name} was {self.state}{detail}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What exists. aliases, log_groups: names. permitted: aliases that the API's gateway may call. stages: by name.

    bounded: whether the role carries the permissions boundary, or does not exist. role_policy: digest of the role's
    policy, "" without one.
    """

    api: bool = True
    function: bool = True
    role: bool = True
    bounded: bool = True
    role_policy: str = ""
    aliases: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    log_groups: tuple[str, ...] = ()
    stages: Mapping[str, StageState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the stack has by its own account. role: its name; role_policy: digest after the stack's last change, ""
    where that is not on record. stages: those whose snapshot is known."""

    api: str
    function: str
    role: str
    role_policy: str
    log_groups: tuple[str, ...]
    stages: Mapping[str, StageState]


def losses(now: Standing, wanted: Wanted) -> tuple[Loss, ...]:
    """Every difference, the ones that others depend on first; not what went with another, as the aliases of a function
    did."""
    each = _all(now, wanted)
    gone = {loss.kind for loss in each if loss.state == "deleted"}
    return tuple(loss for loss in each if not gone & _PART_OF.get(loss.kind, frozenset()))


def _all(now: Standing, wanted: Wanted) -> tuple[Loss, ...]:
    resources = [
        *([] if now.api else [Loss("API", wanted.api)]),
        *([] if now.role else [Loss("role", wanted.role)]),
        *([] if now.bounded else [Loss("permissions boundary of role", wanted.role, "changed")]),
        *([] if now.function else [Loss("function", wanted.function)]),
        *(Loss("alias", name) for name in ALIASES if name not in now.aliases),
        *(Loss("permission of alias", name) for name in ALIASES if name not in now.permitted),
        *(Loss("log group", name) for name in wanted.log_groups if name not in now.log_groups),
        *(loss for name, state in wanted.stages.items() if (loss := _of_stage(name, now.stages.get(name), state))),
    ]
    return (*resources, *_of_policy(now, wanted))


def _of_policy(now: Standing, wanted: Wanted) -> Iterable[Loss]:
    if not now.role_policy:
        yield Loss("role policy", wanted.role)
    elif wanted.role_policy not in ("", now.role_policy):
        yield Loss("role policy", wanted.role, "changed")


def _of_stage(name: str, now: StageState | None, wanted: StageState) -> Loss | None:
    if now is None:
        return Loss("stage", name)
    pairs = (
        ("deployment", now.deployment_id, wanted.deployment_id),
        ("rate", f"{now.rate_per_s:g}", f"{wanted.rate_per_s:g}"),
        ("burst", str(now.burst), str(wanted.burst)),
    )
    differing = [f"{what} {actual}, not {expected}" for what, actual, expected in pairs if actual != expected]
    return Loss("stage", name, "changed", ", ".join(differing)) if differing else None


def stages(stack: Stack, owned: Iterable[StackResource]) -> dict[str, StageState]:
    """The stages as the stack's outputs and parameters have them; without one whose snapshot or throttle the stack, of
    an earlier version of the control plane, does not name."""
    physical = {resource.logical_id: resource.physical_id for resource in owned}
    wanted: dict[str, StageState] = {}
    for output, snapshot, rate, burst in _STAGES:
        deployment = physical.get(stack.outputs.get(snapshot, ""), "")
        if output in stack.outputs and deployment and {rate, burst} <= set(stack.parameters):
            wanted[stack.outputs[output]] = StageState(
                deployment, float(stack.parameters[rate]), int(stack.parameters[burst])
            )
    return wanted


def permits(permissions: Iterable[Permission], api_id: str) -> bool:
    """Whether API Gateway may call the alias for this API, under whatever statement ID."""
    return any(item.principal == GATEWAY and f":{api_id}/" in item.source_arn for item in permissions)


def permission(alias: str, prefix: str, stage: str, owned: Iterable[StackResource]) -> Permission:
    """The statement that the stack has for the alias. prefix: `arn:…:execute-api:REGION:ACCOUNT:API`; stage: the name
    of the users' stage."""
    logical = _PERMISSION_OF[alias]
    physical = next(
        (item.physical_id for item in owned if (item.resource_type, item.logical_id) == (_PERMISSION_TYPE, logical)), ""
    )
    path = f"{stage}/*/*" if alias == "live" else "*/*/_candidate/*"
    # The physical id is the statement's, alone or behind the function's ARN.
    return Permission(physical.rpartition("|")[2] or logical, GATEWAY, f"{prefix}/{path}")
