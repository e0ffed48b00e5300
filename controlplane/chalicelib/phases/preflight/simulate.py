"""Asks IAM whether every role of the control plane may do what its policy promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.domain.errors import NotFound
from chalicelib.engine.policies import documents
from chalicelib.ports import Aws

from . import grants
from .findings import Finding
from .grants import Grant, Missing

CONTROL_PLANE = "proxyctl"


def check(aws: Aws) -> tuple[list[Finding], dict[str, Any]]:
    """Findings, and what was asked: counts of roles, statements and actions."""
    try:
        roles = {one.logical_id: one.physical_id for one in aws.stacks.resources(CONTROL_PLANE)}
    except NotFound:
        return [_unknown_stack()], {"roles": 0, "actions": 0}
    settings = aws.settings
    variables = {
        "AWS::Partition": settings.partition,
        "AWS::Region": settings.region,
        "AWS::AccountId": settings.account,
        "AWS::URLSuffix": "amazonaws.com",
    }
    findings: list[Finding] = []
    asked = roles_asked = 0
    not_run: list[str] = []
    for stem, document in documents().items():
        role = roles.get(grants.role_of(stem))
        if role is None:
            findings.append(_no_role(stem))
            continue
        arn = f"arn:{settings.partition}:iam::{settings.account}:role/{role}"
        roles_asked += 1
        for grant in grants.grants(stem, document, variables):
            if grant.context and settings.embedded:
                # The embedded cloud's simulator knows no context, so that every condition would look like a refusal.
                not_run.extend(f"{stem} {action}" for action in grant.actions)
                continue
            asked += len(grant.actions)
            findings.extend(_finding(missing, role) for missing in _refused(grant, arn, aws))
    told: dict[str, Any] = {"roles": roles_asked, "actions": asked}
    return findings, told | ({"not_run": f"NOT RUN, conditional: {', '.join(not_run)}"} if not_run else {})


def _refused(grant: Grant, role_arn: str, aws: Aws) -> Iterator[Missing]:
    resources = [grants.concrete(one) for one in grant.resources]
    verdicts = aws.identity.simulate(role_arn, grant.actions, resources, grant.context)
    allowed = {verdict.action for verdict in verdicts if verdict.allowed}
    for verdict in verdicts:
        # One statement may name several kinds of resources, and each of its actions fits some of them only.
        if not verdict.allowed and (verdict.action not in allowed or verdict.decision == "explicitDeny"):
            yield Missing(grant.policy, verdict.action, verdict.resource, verdict.decision)


def _finding(missing: Missing, role: str) -> Finding:
    return Finding(
        "permissions",
        str(missing),
        f"Run bootstrap.py up, which gives role {role} the policy of {missing.policy} again (docs/permissions.md), and "
        "look for permission boundaries and service control policies that take it away.",
        field=missing.action,
    )


def _no_role(stem: str) -> Finding:
    return Finding(
        "permissions",
        f"the control plane's stack has no role for policy {stem}",
        "Run bootstrap.py up: the stack is older than this code.",
        blocks=False,
    )


def _unknown_stack() -> Finding:
    return Finding(
        "permissions",
        f"NOT RUN: there is no stack {CONTROL_PLANE}, so the roles' names are not known",
        "Deploy the control plane with bootstrap.py up.",
        blocks=False,
    )
