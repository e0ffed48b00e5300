"""Asks IAM's policy simulator whether every role of the control plane may do what its policy allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chalicelib.domain.errors import NotFound
from chalicelib.domain.evidence.preflight import Finding, Simulated
from chalicelib.domain.settings import Settings
from chalicelib.engine.policies import documents
from chalicelib.ports import Aws

from . import grants
from .grants import Grant, Missing

CONTROL_PLANE = "proxyctl"  # name of the control plane's own stack


@dataclass
class _Tally:
    """Findings and counts so far. not_run: `policy action` of the conditional statements that were left out."""

    roles: int = 0
    actions: int = 0
    findings: list[Finding] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    def simulated(self) -> Simulated:
        """The counts, as evidence."""
        not_run = f"NOT RUN, conditional: {', '.join(self.not_run)}" if self.not_run else None
        return Simulated(self.roles, self.actions, not_run)


def check(aws: Aws) -> tuple[list[Finding], Simulated]:
    """Every refused action as a finding, and how much was simulated."""
    try:
        roles = {resource.logical_id: resource.physical_id for resource in aws.stacks.resources(CONTROL_PLANE)}
    except NotFound:
        return [_UNKNOWN_STACK], Simulated()
    tally = _Tally()
    for policy, document in documents().items():
        role = roles.get(grants.role_of(policy))
        if role is None:
            tally.findings.append(_no_role(policy))
            continue
        tally.roles += 1
        for grant in grants.grants(policy, document, _variables(aws.settings)):
            _simulate(grant, role, tally, aws)
    return tally.findings, tally.simulated()


def _variables(settings: Settings) -> Mapping[str, str]:
    return {
        "AWS::Partition": settings.partition,
        "AWS::Region": settings.region,
        "AWS::AccountId": settings.account,
        "AWS::URLSuffix": "amazonaws.com",
    }


def _simulate(grant: Grant, role: str, tally: _Tally, aws: Aws) -> None:
    if grant.context and aws.settings.embedded:
        # The embedded cloud's simulator ignores the context, so every condition would look like a refusal.
        tally.not_run.extend(f"{grant.policy} {action}" for action in grant.actions)
        return
    tally.actions += len(grant.actions)
    arn = f"arn:{aws.settings.partition}:iam::{aws.settings.account}:role/{role}"
    tally.findings.extend(_refusal(missing, role) for missing in _refused(grant, arn, aws))


def _refused(grant: Grant, role_arn: str, aws: Aws) -> Iterator[Missing]:
    resources = [grants.concrete(resource) for resource in grant.resources]
    decisions = aws.identity.simulate(role_arn, grant.actions, resources, grant.context)
    allowed = {decision.action for decision in decisions if decision.allowed}
    for decision in decisions:
        # A statement may name several kinds of resources, and each of its actions fits only some of them.
        if not decision.allowed and (decision.action not in allowed or decision.decision == "explicitDeny"):
            yield Missing(grant.policy, decision.action, decision.resource, decision.decision)


def _refusal(missing: Missing, role: str) -> Finding:
    return Finding(
        "permissions",
        str(missing),
        f"Run bootstrap.py up, which gives role {role} the policy of {missing.policy} again (docs/permissions.md), and "
        "look for permission boundaries and service control policies that deny it.",
        field=missing.action,
    )


def _no_role(policy: str) -> Finding:
    return Finding(
        "permissions",
        f"the control plane's stack has no role for policy {policy}",
        "Run bootstrap.py up: the stack is older than this code.",
        blocks=False,
    )


_UNKNOWN_STACK = Finding(
    "permissions",
    f"NOT RUN: there is no stack {CONTROL_PLANE}, so the names of its roles are unknown",
    "Deploy the control plane with bootstrap.py up.",
    blocks=False,
)
