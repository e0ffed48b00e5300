"""Facts about a stack's states: the next move in each, and whether an operation has ended well."""

from __future__ import annotations

import pytest
from chalicelib.stack.state import STATES, Move, in_progress, is_empty, is_settled, next_move, succeeded

EXPECTED = {
    "CREATE_COMPLETE": Move.UPDATE,
    "CREATE_FAILED": Move.DELETE,
    "CREATE_IN_PROGRESS": Move.WAIT,
    "DELETE_COMPLETE": Move.CREATE,
    "DELETE_FAILED": Move.DELETE,
    "DELETE_IN_PROGRESS": Move.WAIT,
    "IMPORT_COMPLETE": Move.UPDATE,
    "IMPORT_IN_PROGRESS": Move.WAIT,
    "IMPORT_ROLLBACK_COMPLETE": Move.UPDATE,
    "IMPORT_ROLLBACK_FAILED": Move.REFUSE,
    "IMPORT_ROLLBACK_IN_PROGRESS": Move.WAIT,
    "REVIEW_IN_PROGRESS": Move.CREATE,
    "ROLLBACK_COMPLETE": Move.DELETE,
    "ROLLBACK_FAILED": Move.DELETE,
    "ROLLBACK_IN_PROGRESS": Move.WAIT,
    "UPDATE_COMPLETE": Move.UPDATE,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Move.WAIT,
    "UPDATE_FAILED": Move.UPDATE,
    "UPDATE_IN_PROGRESS": Move.WAIT,
    "UPDATE_ROLLBACK_COMPLETE": Move.UPDATE,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Move.WAIT,
    "UPDATE_ROLLBACK_FAILED": Move.CONTINUE_ROLLBACK,
    "UPDATE_ROLLBACK_IN_PROGRESS": Move.WAIT,
}


@pytest.mark.parametrize("status", sorted(EXPECTED))
def test_each_state_has_its_move(status: str) -> None:
    assert next_move(status) is EXPECTED[status]


def test_no_state_of_cloudformation_is_forgotten() -> None:
    """The list is botocore's own, from CloudFormation's API model."""
    from botocore.session import Session

    states = Session().get_service_model("cloudformation").shape_for("StackStatus").enum
    assert set(states) == set(EXPECTED) == set(STATES)


def test_a_missing_stack_is_created_and_an_unknown_state_is_refused() -> None:
    assert next_move(None) is Move.CREATE
    assert next_move("UPDATE_PAUSED_BY_NEW_FEATURE") is Move.REFUSE


def test_a_serving_stack_is_never_deleted() -> None:
    """UPDATE_ROLLBACK_FAILED serves users: only its rollback is continued."""
    serving = [status for status in EXPECTED if status.startswith(("UPDATE", "IMPORT"))]
    assert serving
    assert all(next_move(status) is not Move.DELETE for status in serving)


def test_only_complete_operations_succeed_and_a_rolled_back_one_does_not() -> None:
    assert {status for status in EXPECTED if succeeded(status)} == {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "IMPORT_COMPLETE",
    }


def test_no_operation_runs_on_a_stack_under_review() -> None:
    assert not in_progress("REVIEW_IN_PROGRESS")
    assert in_progress("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")


@pytest.mark.parametrize(
    ("status", "reason", "empty"),
    [
        ("FAILED", "The submitted information didn't contain changes. Submit different information.", True),
        ("FAILED", "No updates are to be performed.", True),
        ("FAILED", "Template error: resource X does not exist", False),
        ("CREATE_COMPLETE", "", False),
    ],
)
def test_an_empty_change_set_is_no_failure(status: str, reason: str, empty: bool) -> None:
    assert is_empty(status, reason) is empty


def test_a_stack_is_settled_after_an_operation_that_ended_well_or_was_rolled_back() -> None:
    assert {status for status in EXPECTED if is_settled(status)} == {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "IMPORT_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
