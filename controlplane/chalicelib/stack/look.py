"""Reads the stack as it stands now."""

from __future__ import annotations

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.ports import Aws


def must_find(stack: str, aws: Aws) -> Stack:
    """The stack of that name or id. Raises PhaseFailed (StackVanished)."""
    existing = aws.stacks.find(stack)
    if existing is None:
        raise PhaseFailed(
            f"stack {stack} no longer exists",
            code="StackVanished",
            remedy="Someone deleted it during the deployment. Deploy again.",
        )
    return existing


def role_name(stack: Stack | None, names: Names, region: str) -> str:
    """The name of the proxy's role: the stack's, or that of a stack still to be created."""
    return names.role(region, stack.parameters.get("RoleMark", "") if stack else "")


def last_event(stack_id: str, aws: Aws) -> str:
    """The id of the stack's newest event, "" for none."""
    events = aws.stacks.events(stack_id)
    return events[-1].id if events else ""
