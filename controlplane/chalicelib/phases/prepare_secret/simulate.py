"""Asks IAM's policy simulator who may read the secret: the proxy's role must, a stranger must not.

The stranger is a role of the control plane that has no business with the secret. release_code proves the same by real
calls: the candidate reads the secret, and release_code itself is refused.
"""

from __future__ import annotations

from chalicelib.domain.aws.secrets import SecretInfo
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.domain.evidence.secret import Access
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.names import OWNER, OWNER_TAG
from chalicelib.engine.phase import Request, applied_as
from chalicelib.ports import Aws
from chalicelib.stack import look
from chalicelib.stack.recovery import repair

from .access import ALLOWED, NOT_RUN, problem, stranger_of

READ = "secretsmanager:GetSecretValue"


def simulate(info: SecretInfo, request: Request, aws: Aws) -> Access:
    """IAM's decisions for both roles. Raises PhaseFailed (SecretAccess) when one of them is wrong."""
    stack = aws.stacks.find(request.names.stack)
    role = aws.identity.role_arn(look.role_name(stack, request.names, aws.settings.region)) or ""
    if not role:
        later = f"{NOT_RUN}: deploy_stack creates the role; release_code proves the access"
        return Access(execution_role=later, stranger=later)
    stranger = _stranger(aws)
    access = Access(
        execution_role=_execution_role(role, info, stack, request, aws),
        stranger=_decision(stranger, info.arn, aws)
        if stranger
        else f"{NOT_RUN}: the stack {aws.settings.stack} has no role to simulate",
    )
    _refuse(access, info, role, stranger)
    return access


def _execution_role(role: str, info: SecretInfo, stack: Stack | None, request: Request, aws: Aws) -> str:
    """The role's policy follows the stack's parameters, so it allows the secret once the stack names it."""
    parameters = stack.parameters if stack else {}
    if (parameters.get("SecretArn"), parameters.get("SecretKmsKeyArn", "")) != (info.arn, info.kms_key):
        return f"{NOT_RUN}: deploy_stack lets the role read this secret; release_code proves the access"
    decision = _decision(role, info.arn, aws)
    if decision != ALLOWED and request.action.deploys and _policy_changed(role, request, aws):
        return f"{NOT_RUN}: someone changed the policy of the role, and deploy_stack writes it again"
    return decision


def _policy_changed(role: str, request: Request, aws: Aws) -> bool:
    """Whether the role's policy is not the one that the stack wrote."""
    applied = applied_as(request.environment, StackEvidence)
    now = repair.policy_digest(role.rpartition("/")[2], aws)
    return not now or (applied is not None and applied.role_policy not in ("", now))


def _stranger(aws: Aws) -> str:
    """ARN of the stranger's role; "" without the stack that has it."""
    try:
        name = stranger_of(aws.stacks.resources(aws.settings.stack))
    except NotFound:
        return ""
    return f"arn:{aws.settings.partition}:iam::{aws.settings.account}:role/{name}" if name else ""


def _decision(role: str, secret: str, aws: Aws) -> str:
    # The boundary of the proxy's role allows a secret of others by its tag, and the simulator reads no tags.
    tag = {} if f":secret:{OWNER}/" in secret else {f"aws:ResourceTag/{OWNER_TAG}": OWNER}
    (simulated,) = aws.identity.simulate(role, [READ], [secret], tag)
    return simulated.decision


def _refuse(access: Access, info: SecretInfo, role: str, stranger: str) -> None:
    if message := problem(access):
        raise PhaseFailed(
            f"{info.name}: {message}",
            code="SecretAccess",
            remedy=f"Look for {READ} in the policies of the role that is named, and in the secret's own policy.",
            evidence={"arn": info.arn, "access": access, "role": role, "stranger": stranger},
        )
