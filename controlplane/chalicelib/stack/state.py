"""What to do with a stack in each of CloudFormation's states, and what the end of an operation means.

States are CloudFormation's: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from enum import StrEnum


class Move(StrEnum):
    """The next thing to do before, or instead of, a change set."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    WAIT = "WAIT"
    DELETE = "DELETE"
    CONTINUE_ROLLBACK = "CONTINUE_ROLLBACK"
    REFUSE = "REFUSE"


UNDER_REVIEW = "REVIEW_IN_PROGRESS"
# The creation or deletion did not finish: no user depends on the stack, so it is deleted and created again.
_DELETE_FIRST = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})
_UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        # An update that failed with rollback disabled: CloudFormation accepts another update.
        "UPDATE_FAILED",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
STATES = (
    *sorted(_DELETE_FIRST | _UPDATABLE),
    "CREATE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    UNDER_REVIEW,
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
)


def next_move(status: str | None) -> Move:
    """The move that a stack in `status` needs; None means that the stack does not exist.

    A state that is not in `STATES` (CloudFormation may add some) is refused.
    """
    # Under review: a change set exists, but no resource. Any change set may still create the stack.
    if status in (None, "DELETE_COMPLETE", UNDER_REVIEW):
        return Move.CREATE
    if status in _UPDATABLE:
        return Move.UPDATE
    if status in _DELETE_FIRST:
        return Move.DELETE
    if status == "UPDATE_ROLLBACK_FAILED":
        return Move.CONTINUE_ROLLBACK  # the stack serves users: deleting it would be an outage
    if status is not None and status.endswith("_IN_PROGRESS"):
        return Move.WAIT
    return Move.REFUSE


def succeeded(status: str) -> bool:
    """Whether an operation that ended in this state reached its goal; False after a rollback."""
    return status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def in_progress(status: str) -> bool:
    """Whether an operation runs on the stack. A stack under review only waits for its change set to be executed."""
    return status.endswith("_IN_PROGRESS") and status != UNDER_REVIEW


def is_settled(status: str) -> bool:
    """Whether no operation runs and none is left half-way: the stack's resources are what its template says."""
    return succeeded(status) or status in ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")


def is_empty(status: str, reason: str) -> bool:
    """Whether a change set FAILED only because it changes nothing. CloudFormation says so in `reason` alone."""
    text = reason.lower()
    return status == "FAILED" and ("didn't contain changes" in text or "no updates are to be performed" in text)
