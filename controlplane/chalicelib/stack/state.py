"""What to do with a stack in the state that it is found in, and what the end of an operation means.

States are CloudFormation's: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.aws.stacks import Change, StackEvent


class Move(StrEnum):
    """The next thing to do before, or instead of, a change set."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    WAIT = "WAIT"
    DELETE = "DELETE"
    CONTINUE_ROLLBACK = "CONTINUE_ROLLBACK"
    REFUSE = "REFUSE"


# A stack that never finished its creation holds nothing that anyone uses: it is deleted and made again.
_BORN_DEAD = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})
_WHOLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        # An update that failed with rollback disabled: the next update goes on from where it stands.
        "UPDATE_FAILED",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
STATES = (
    *sorted(_BORN_DEAD | _WHOLE),
    "CREATE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
)


def next_move(status: str | None) -> Move:
    """`status` is None for a stack that does not exist. A state that CloudFormation may yet invent is refused."""
    if status is None or status == "DELETE_COMPLETE":
        return Move.CREATE
    if status == "REVIEW_IN_PROGRESS":
        return Move.CREATE  # only a change set made it; nothing exists, whoever comes next may create
    if status in _WHOLE:
        return Move.UPDATE
    if status in _BORN_DEAD:
        return Move.DELETE
    if status == "UPDATE_ROLLBACK_FAILED":
        return Move.CONTINUE_ROLLBACK  # it serves users: deleting it, as one tool does, would be an outage
    if status.endswith("_IN_PROGRESS"):
        return Move.WAIT
    return Move.REFUSE


def succeeded(status: str) -> bool:
    """Whether an operation that ended in this state did what was asked."""
    return status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def in_progress(status: str) -> bool:
    """Whether something is still happening to the stack; a set under review is not."""
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Cause:
    """The first resource that failed in an operation, in CloudFormation's own words."""

    logical_id: str
    resource_type: str
    status: str
    reason: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.resource_type}) {self.status}: {self.reason}"


# What CloudFormation says of a resource that it stopped because another one had failed.
_SECONDARY = ("resource creation cancelled", "resource update cancelled", "resource deletion cancelled")
_NO_REASON = "CloudFormation gave no reason"


def root_cause(events: Iterable[StackEvent]) -> Cause | None:
    """The first failure of an operation's events (oldest first), not the rollback that followed, nor the resources
    that were cancelled because of it; a failure of the stack itself counts only when no resource failed."""
    failed = [event for event in events if event.status.endswith("_FAILED")]
    own = [event for event in failed if not event.reason.lower().startswith(_SECONDARY)]
    resources = [event for event in own if event.resource_type != "AWS::CloudFormation::Stack"]
    for event in [*resources, *own, *failed]:
        return Cause(event.logical_id, event.resource_type, event.status, event.reason or _NO_REASON)
    return None


def is_empty(status: str, reason: str) -> bool:
    """A change set FAILED because there is nothing to change, which is no failure."""
    told = reason.lower()
    return status == "FAILED" and ("didn't contain changes" in told or "no updates are to be performed" in told)


# Replacing these loses something: logs, the address that users know, or the function with all its versions.
_PRECIOUS = {
    "AWS::Logs::LogGroup": "its log lines",
    "AWS::ApiGateway::RestApi": "the URL that users call",
    "AWS::ApiGateway::Stage": "the URL that users call",
    "AWS::Lambda::Function": "all published versions, so nothing could be rolled back to",
    "AWS::Lambda::Alias": "the alias that users' requests go to",
}
# What a resource cannot change without being another one ("Update requires: Replacement" in its reference). Only these
# turn `Conditional`, which CloudFormation says of whatever it has not worked out, into a loss.
_IDENTITY = {
    "AWS::Logs::LogGroup": {"LogGroupName"},
    "AWS::ApiGateway::RestApi": set[str](),
    "AWS::ApiGateway::Stage": {"RestApiId", "StageName"},
    "AWS::Lambda::Function": {"FunctionName", "PackageType"},
    "AWS::Lambda::Alias": {"FunctionName", "Name"},
}


@dataclass(frozen=True, slots=True)
class Loss:
    """A change that would take something away which no rollback brings back."""

    logical_id: str
    resource_type: str
    action: str
    loses: str
    because: str

    def __str__(self) -> str:
        verb = "removes" if self.action == "Remove" else "replaces"
        return f"{verb} {self.logical_id} ({self.resource_type}; changed: {self.because}), losing {self.loses}"


def losses(changes: Iterable[Change]) -> list[Loss]:
    """Changes that replace or remove something stateful or public."""
    return [
        Loss(
            change.logical_id,
            change.resource_type,
            change.action,
            _PRECIOUS[change.resource_type],
            ", ".join(change.because) or change.action.lower(),
        )
        for change in changes
        if change.resource_type in _PRECIOUS and is_lost(change)
    ]


def is_lost(change: Change) -> bool:
    """Whether the resource that is there now will be gone afterwards."""
    if change.action != "Modify":
        return change.action == "Remove"
    if change.replacement == "Conditional":
        return bool(_IDENTITY.get(change.resource_type, set()) & set(change.because))
    return change.replacement == "True"
