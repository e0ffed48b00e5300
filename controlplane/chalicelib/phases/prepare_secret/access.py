"""Who may read the secret: a judgement of the decisions of IAM's policy simulator."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.aws.stacks import StackResource
from chalicelib.domain.evidence.secret import Access

ALLOWED = "allowed"
NOT_RUN = "NOT RUN"

# Logical id of a role of the control plane whose policy does not allow reading a provider's key.
STRANGER = "RecordOutcomeRole"


def stranger_of(resources: Iterable[StackResource]) -> str:
    """The physical name of the `STRANGER` role among the control plane's resources; "" when it has none."""
    return next((resource.physical_id for resource in resources if resource.logical_id == STRANGER), "")


def problem(access: Access) -> str:
    """What is wrong with who may read the secret; "" when nothing is. A check that is NOT RUN is no problem."""
    problems = []
    if access.execution_role != ALLOWED and not access.execution_role.startswith(NOT_RUN):
        problems.append(f"the proxy's execution role may not read it ({access.execution_role})")
    if access.stranger == ALLOWED:
        problems.append("a role that has no business with it may read it")
    return "; ".join(problems)
