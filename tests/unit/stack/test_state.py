"""Facts about stacks: what each state asks for, what an operation's end means, and what a change would lose."""

from __future__ import annotations

import pytest
from chalicelib.domain.aws.stacks import Change, StackEvent
from chalicelib.stack.state import STATES, Move, in_progress, is_empty, losses, next_move, root_cause, succeeded

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
def test_every_state_asks_for_one_move(status: str) -> None:
    assert next_move(status) is EXPECTED[status]


def test_no_state_of_cloudformation_is_forgotten() -> None:
    """The list is botocore's own, from CloudFormation's API model."""
    from botocore.session import Session

    known = Session().get_service_model("cloudformation").shape_for("StackStatus").enum
    assert set(known) == set(EXPECTED) == set(STATES)


def test_no_stack_is_created_and_an_unheard_of_state_is_refused() -> None:
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


def test_a_stack_under_review_is_at_rest() -> None:
    assert not in_progress("REVIEW_IN_PROGRESS")
    assert in_progress("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")


def _event(logical: str, status: str, reason: str = "", kind: str = "AWS::Lambda::Function") -> StackEvent:
    return StackEvent(logical + status, "", logical, kind, status, reason)


def test_the_cause_is_the_first_failed_resource_not_the_rollback() -> None:
    stack = "AWS::CloudFormation::Stack"
    events = [
        _event("Stack", "UPDATE_IN_PROGRESS", kind=stack),
        _event("Role", "UPDATE_COMPLETE"),
        _event("Api", "UPDATE_FAILED", "Resource update cancelled"),
        _event("Function", "UPDATE_FAILED", "Memory size must be at most 3008"),
        _event(
            "Stack", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Function].", stack
        ),
        _event("Role", "UPDATE_FAILED", "Rate exceeded"),
    ]
    cause = root_cause(events)
    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("Function", "Memory size must be at most 3008")


def test_cancelled_resources_are_the_cause_only_when_nothing_else_failed() -> None:
    cause = root_cause([_event("Api", "CREATE_FAILED", "Resource creation cancelled")])
    assert cause is not None
    assert cause.logical_id == "Api"


def test_no_failure_has_no_cause() -> None:
    assert root_cause([_event("Api", "CREATE_COMPLETE")]) is None


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


def _change(kind: str, action: str = "Modify", replacement: str = "False", *because: str) -> Change:
    return Change("It", kind, action, replacement, "", because)


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (_change("AWS::Lambda::Function", "Modify", "True", "FunctionName"), True),
        (_change("AWS::Lambda::Function", "Modify", "False", "MemorySize"), False),
        (_change("AWS::Lambda::Function", "Modify", "Conditional", "Environment"), False),
        (_change("AWS::ApiGateway::Stage", "Modify", "Conditional", "RestApiId"), True),
        (_change("AWS::ApiGateway::Stage", "Modify", "Conditional", "MethodSettings"), False),
        (_change("AWS::ApiGateway::RestApi", "Remove"), True),
        (_change("AWS::Logs::LogGroup", "Modify", "True", "LogGroupName"), True),
        (_change("AWS::ApiGateway::Deployment", "Remove"), False),
        (_change("AWS::ApiGateway::Method", "Modify", "True", "HttpMethod"), False),
        (_change("AWS::Lambda::Function", "Add"), False),
    ],
)
def test_losing_something_stateful_or_public_is_seen(change: Change, lost: bool) -> None:
    assert bool(losses([change])) is lost


def test_a_loss_says_what_goes_and_why() -> None:
    (loss,) = losses([_change("AWS::Logs::LogGroup", "Modify", "True", "LogGroupName")])
    assert str(loss) == "replaces It (AWS::Logs::LogGroup; changed: LogGroupName), losing its log lines"
