"""Brings back what a stack lost for good as it was: its API, its function, its role.

API and function leave the stack's template in one update and come back in another (parts.py). The API comes back as the
live release had it before the candidate's change begins, so that users get nothing unchecked; it has another address.
The function's versions went with it: until a release has passed, its aliases are on the closed version.

A role comes back under another name. Under the same one, no version that exists could start either: the grant on the
key of its variables names the role itself
(https://www.lastweekinaws.com/blog/the-sneaky-weakness-behind-aws-managed-kms-keys/). CloudFormation's own role creates
it, with the permissions boundary; no phase may. It has an update of its own: were it part of the candidate's change, a
failure there would give the function the deleted role back, which Lambda refuses (UPDATE_ROLLBACK_FAILED).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.names import ROLE_MARKS
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.stack import inputs

from . import parts
from .losses import Kind, Loss
from .parts import Part


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One update that comes before the candidate's change. removes: parts that it takes out of the stack.

    parameters: None keeps the stack's value. lines: one for each resource that it begins to bring back.
    """

    text: str
    parameters: Mapping[str, str | None]
    removes: tuple[Part, ...] = ()
    lines: tuple[str, ...] = ()


def next_update(lost: Iterable[Loss], stack: Stack, request: Request, aws: Aws) -> Rebuild | None:
    """The next such update, by what the stack has now; None when the candidate's change is next."""
    gone = {loss.kind: loss for loss in lost if loss.state == "deleted"}
    removes, absent = _removed(gone, stack, aws), _absent(gone, stack, aws)
    if removes or "role" in gone:
        return _without(removes, absent, gone, stack, request, aws)
    good = request.environment.last_good
    if good is None or absent != ("API",):
        return None
    text, wanted = inputs.for_release(good, stack, aws)
    return Rebuild(text, wanted.parameters)


def is_absent(gone: Collection[str], stack: Stack, aws: Aws) -> bool:
    """Whether an update before has taken the function out of the stack. gone: kinds of what is lost."""
    return "function" in gone and not _owns_function(stack, aws)


def _removed(gone: Collection[str], stack: Stack, aws: Aws) -> tuple[Part, ...]:
    owns_function = "function" in gone and _owns_function(stack, aws)
    return (*(("API",) if "API" in gone else ()), *(("function",) if owns_function else ()))


def _absent(gone: Collection[str], stack: Stack, aws: Aws) -> tuple[Part, ...]:
    no_api = "ApiId" not in stack.outputs
    return (*(("API",) if no_api else ()), *(("function",) if is_absent(gone, stack, aws) else ()))


def _owns_function(stack: Stack, aws: Aws) -> bool:
    return any(resource.resource_type == parts.FUNCTION for resource in aws.stacks.resources(stack.name))


def _without(
    removes: tuple[Part, ...],
    absent: tuple[Part, ...],
    gone: Mapping[Kind, Loss],
    stack: Stack,
    request: Request,
    aws: Aws,
) -> Rebuild:
    """The stack as users have it, without what is gone, and with another role where that is gone."""
    good = request.environment.last_good
    if good and "function" not in gone:
        text, wanted = inputs.for_release(good, stack, aws)
        parameters = wanted.parameters
    else:
        text, parameters = inputs.text(request, aws), inputs.parameters(request, aws, creates=False)
    left_out = (*removes, *absent)
    kinds: tuple[Kind, ...] = (*removes, "role")
    lines = tuple(describe(gone[kind], request) for kind in kinds if kind in gone)
    return Rebuild(
        parts.without(text, left_out) if left_out else text,
        {**parameters, **(_next_role(stack) if "role" in gone else {})},
        removes,
        lines,
    )


def describe(loss: Loss, request: Request) -> str:
    """What becomes of a lost API, function or role."""
    good = request.environment.last_good
    if loss.kind == "API":
        return f"{loss}: made again{f' as version {good.version} had it' if good else ''}, at another address"
    if loss.kind == "function":
        return f"{loss}, and its versions with it: made again; users get 503 until a release has passed"
    return f"{loss}: made again under another name, with which only versions published from now on run"


def _next_role(stack: Stack) -> dict[str, str]:
    used = stack.parameters.get("RoleMark", "")
    return {"RoleMark": ROLE_MARKS[(ROLE_MARKS.index(used) + 1) % len(ROLE_MARKS)]}
