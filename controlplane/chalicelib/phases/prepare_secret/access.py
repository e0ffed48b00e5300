"""Who may read a secret: what IAM's simulator said, judged."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.aws.stacks import StackResource

ALLOWED = "allowed"
NOT_RUN = "NOT RUN"

# A role of the control plane that must never read a provider's key, and whose policy says so by leaving it out.
STRANGER = "RecordOutcomeRole"


def stranger_of(resources: Iterable[StackResource]) -> str | None:
    """The name of the stranger's role among the control plane's resources."""
    return next((one.physical_id for one in resources if one.logical_id == STRANGER), None)


def problem(execution_role: str, stranger: str) -> str:
    """What is wrong with who may read the secret; empty when nothing is. Each is a decision of IAM or NOT RUN."""
    wrong = []
    if execution_role != ALLOWED and not execution_role.startswith(NOT_RUN):
        wrong.append(f"the proxy's execution role may not read it ({execution_role})")
    if stranger == ALLOWED:
        wrong.append("a role that has no business with it may read it")
    return "; ".join(wrong)
