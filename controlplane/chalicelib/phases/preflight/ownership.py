"""Whether what exists under the environment's names is ours, and in a state that a deployment can start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.evidence.preflight import Finding
from chalicelib.domain.names import OWNER, OWNER_TAG
from chalicelib.stack import state
from chalicelib.stack.state import Move

_UNDER_REVIEW = "REVIEW_IN_PROGRESS"  # only a change set exists, no resource


def stack(existing: Stack | None) -> Iterator[Finding]:
    """The stack's state and owner; nothing for a stack that does not exist."""
    if existing is None or existing.status == _UNDER_REVIEW:
        return
    move = state.next_move(existing.status)
    if move is Move.REFUSE:
        yield Finding(
            "stack",
            f"stack {existing.name} is in {existing.status}: {existing.reason or 'no reason given'}",
            "Bring it to a *_COMPLETE state in the CloudFormation console.",
        )
    elif move is not Move.UPDATE:
        yield Finding(
            "stack",
            f"stack {existing.name} is in {existing.status}; deploy_stack settles it first ({move.value.lower()})",
            "Nothing to do.",
            blocks=False,
        )
    owner = existing.tags.get(OWNER_TAG)
    if owner != OWNER:
        yield Finding(
            "names",
            f"stack {existing.name} exists and is not ours (its tag {OWNER_TAG} is {owner or 'missing'})",
            "Choose another name for the environment.",
            field="environment",
        )


def is_complete(existing: Stack | None) -> bool:
    """Whether the stack's resources should all exist, so that a missing one was deleted outside CloudFormation."""
    return existing is not None and state.next_move(existing.status) is Move.UPDATE


def creates(existing: Stack | None) -> bool:
    """Whether the deployment would create the stack, so that the names of its resources must be free."""
    return state.next_move(existing.status if existing else None) is Move.CREATE


def taken(resources: Iterable[str]) -> Iterator[Finding]:
    """One finding for each existing resource whose name a new stack needs."""
    for resource in resources:
        yield Finding(
            "names",
            f"{resource} exists already, outside of any stack of ours",
            "Remove it (action cleanup does, for what is ours), or choose another environment name.",
            field="environment",
        )


def function_missing(stack: str, function: str) -> Finding:
    """A function that someone deleted: no user is served until a release has passed."""
    return Finding(
        "stack",
        f"stack {stack} exists, and its function {function} was deleted by hand",
        "Nothing to do in a deploy: deploy_stack makes it again.",
        blocks=False,
    )
