"""The findings on permissions, with their remedies. Only what IAM itself refuses blocks a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.domain.evidence.preflight import Finding

from .grants import Missing

_AGAIN = "Nothing to do: a phase that lacks a permission says so itself, and the next deployment asks again."


def refusal(missing: Missing, role: str) -> Finding:
    """IAM refuses an action that the role's policy should allow."""
    return Finding(
        "permissions",
        str(missing),
        f"Run bootstrap.py up, which gives role {role} the policy of {missing.policy} again (docs/permissions.md), and "
        "look for permission boundaries and service control policies that deny it.",
        field=missing.action,
    )


def not_in_text(missing: Missing, role: str) -> Finding:
    """An action that the simulator cannot judge is not in the policy of the role."""
    return Finding(
        "permissions",
        f"{missing.policy} may not {missing.action} on {missing.resource} by the text of its policy; IAM's simulator"
        " knows no resource for this action and cannot say",
        f"Run bootstrap.py up, which gives role {role} the policy of {missing.policy} again (docs/permissions.md).",
        blocks=False,
        field=missing.action,
    )


def no_time(policies: Sequence[str], patience_s: float) -> Iterator[Finding]:
    """IAM's simulator throttled us until the time was over; nothing without such roles."""
    if policies:
        roles = "role" if len(policies) == 1 else "roles"
        yield Finding(
            "permissions",
            f"NOT RUN for {len(policies)} {roles}: IAM's simulator throttled us for {patience_s:.0f} s"
            f" ({', '.join(sorted(policies))})",
            _AGAIN,
            blocks=False,
        )


def not_answered(policy: str, reason: str) -> Finding:
    """IAM answers nothing of use about a role."""
    return Finding("permissions", f"NOT RUN for {policy}: {reason}", _AGAIN, blocks=False)


def no_role(policy: str) -> Finding:
    """The control plane's stack is older than this code."""
    return Finding(
        "permissions",
        f"the control plane's stack has no role for policy {policy}",
        "Run bootstrap.py up: the stack is older than this code.",
        blocks=False,
    )


def unknown_stack(stack: str) -> Finding:
    """Without the control plane's stack the names of its roles are unknown."""
    return Finding(
        "permissions",
        f"NOT RUN: there is no stack {stack}, so the names of its roles are unknown",
        "Deploy the control plane with bootstrap.py up.",
        blocks=False,
    )
