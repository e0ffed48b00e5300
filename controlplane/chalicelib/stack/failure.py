"""Which resource made a stack operation fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.aws.stacks import StackEvent

# How CloudFormation's reason begins for a resource that it cancelled because another resource failed.
_CANCELLED = ("resource creation cancelled", "resource update cancelled", "resource deletion cancelled")
_NO_REASON = "CloudFormation gave no reason"
STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Cause:
    """The first resource that failed in an operation; `status` and `reason` are CloudFormation's."""

    logical_id: str
    resource_type: str
    status: str
    reason: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.resource_type}) {self.status}: {self.reason}"


def root_cause(events: Iterable[StackEvent]) -> Cause | None:
    """The cause of a failed operation; None when no event is a failure.

    events: the operation's events, oldest first. The first failed resource is the cause. Resources that were cancelled
    because of it, and the stack itself, count only when no other resource failed.
    """
    failures = [event for event in events if event.status.endswith("_FAILED")]
    independent = [event for event in failures if not event.reason.lower().startswith(_CANCELLED)]
    resources = [event for event in independent if event.resource_type != STACK]
    for event in [*resources, *independent, *failures]:
        return Cause(event.logical_id, event.resource_type, event.status, event.reason or _NO_REASON)
    return None
