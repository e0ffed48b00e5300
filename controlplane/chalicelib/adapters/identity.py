"""STS and IAM behind `ports.identity`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.identity import Caller, Decision
from chalicelib.domain.errors import NotFound

from .session import HOME, Session


class IamIdentity:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def caller(self) -> Caller:
        answer = self._session.call("sts", "get_caller_identity")
        return Caller(answer["Account"], answer["Arn"])

    def role_arn(self, name: str) -> str | None:
        try:
            arn: str = self._session.call("iam", "get_role", RoleName=name)["Role"]["Arn"]
        except NotFound:
            return None
        return arn

    def role_policy(self, role: str, policy: str) -> str:
        try:
            answer = self._session.call("iam", "get_role_policy", RoleName=role, PolicyName=policy)
        except NotFound:
            return ""
        return json.dumps(answer["PolicyDocument"], sort_keys=True)

    def boundary(self, role: str) -> str | None:
        try:
            answer = self._session.call("iam", "get_role", RoleName=role)["Role"]
        except NotFound:
            return None
        return str(answer.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))

    def set_boundary(self, role: str, policy_arn: str) -> None:
        self._session.call("iam", "put_role_permissions_boundary", RoleName=role, PermissionsBoundary=policy_arn)

    def simulate(
        self,
        principal_arn: str,
        actions: Sequence[str],
        resources: Sequence[str],
        context: Mapping[str, str] | None = None,
    ) -> Sequence[Decision]:
        entries: list[dict[str, Any]] = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in (context or {}).items()
        ]
        answer = self._session.pages(
            "iam",
            "simulate_principal_policy",
            "EvaluationResults",
            PolicySourceArn=principal_arn,
            ActionNames=list(actions),
            ResourceArns=list(resources),
            ContextEntries=entries,
            PaginationConfig={"PageSize": 1_000},
        )
        return [decision for item in answer for decision in _decisions(item)]


def _decisions(item: Mapping[str, Any]) -> list[Decision]:
    """Of several resources IAM answers one result an action, with each resource's own decision below it."""
    action, specific = item["EvalActionName"], item.get("ResourceSpecificResults")
    if not specific:
        return [Decision(action, item.get("EvalResourceName", "*"), item["EvalDecision"])]
    return [Decision(action, each["EvalResourceName"], each["EvalResourceDecision"]) for each in specific]
