"""Requests a change set, and remembers which one it is: a phase executes only the change set that it requested itself.

A change set holds a whole template. Who could put one under a name that deploy_stack executes would have the rights of
the role with which CloudFormation changes stacks. So the id that CloudFormation answers goes into the phase's cursor,
with the digest of what was sent, and both must fit before the execution (change_set.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.aws.stacks import ChangeSet
from chalicelib.domain.errors import Conflict
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import inputs
from .cursor import Own

_UNFINISHED = ("CREATE_PENDING", "CREATE_IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a change set is made of. creates: whether it creates the stack. parameters: None keeps the stack's value.

    number: of this deployment's change sets of that purpose, from 0; each has a name of its own.
    """

    purpose: inputs.Purpose
    text: str
    parameters: Mapping[str, str | None]
    creates: bool = False
    number: int = 0


def drop_leftovers(request: Request, aws: Aws) -> tuple[str, ...] | None:
    """Delete this product's change sets, which a crash leaves behind; returns their names.

    One under this deployment's own name goes, too: this call did not request it. None while one of them is still being
    made, when CloudFormation does not delete it.
    """
    stack = request.names.stack
    existing = [item for item in aws.stacks.change_sets(stack) if item.name.startswith(inputs.CHANGE_SET_PREFIX)]
    if any(change_set.status in _UNFINISHED for change_set in existing):
        return None
    for change_set in existing:
        aws.stacks.delete_change_set(stack, change_set.name)
    return tuple(change_set.name for change_set in existing)


def request_change_set(wanted: Wanted, request: Request, aws: Aws) -> tuple[ChangeSet, Own] | None:
    """The new change set; None when another one took its name a moment ago, or the stack has changed: look again."""
    tags = aws.settings.tags_beside(request.names.tags)
    draft = Own("", fingerprint(wanted.text, dict(wanted.parameters), tags, wanted.creates))
    try:
        change_set = aws.stacks.create_change_set(
            request.names.stack,
            inputs.change_set_name(request, wanted.purpose, wanted.number),
            template=wanted.text,
            parameters=wanted.parameters,
            tags=tags,
            creates=wanted.creates,
            description=draft.description,
            role_arn=aws.settings.stacks_role_arn,
        )
    except Conflict:
        return None
    return change_set, Own(change_set.id, draft.digest)
