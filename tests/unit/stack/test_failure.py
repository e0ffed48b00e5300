"""Facts about a failed stack operation: which resource is its cause."""

from __future__ import annotations

from chalicelib.domain.aws.stacks import StackEvent
from chalicelib.stack.failure import root_cause


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
