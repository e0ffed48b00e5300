"""Who we are, and what a role may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.domain.aws.identity import Caller, Decision


class Identity(Protocol):
    def caller(self) -> Caller: ...

    def role_arn(self, name: str) -> str | None:
        """None when the account has no such role."""
        ...

    def role_policy(self, role: str, policy: str) -> str:
        """An inline policy's document as JSON with sorted keys; "" when role or policy does not exist."""
        ...

    def boundary(self, role: str) -> str | None:
        """ARN of the role's permissions boundary, "" without one; None when there is no such role."""
        ...

    def set_boundary(self, role: str, policy_arn: str) -> None:
        """Raises NotFound."""
        ...

    def create_role(self, name: str, trusted: str, boundary: str, tags: Mapping[str, str]) -> None:
        """A role without policies. trusted: the service that may assume it; boundary: ARN of its permissions boundary.
        Nothing happens when it exists."""
        ...

    def simulate(
        self,
        principal_arn: str,
        actions: Sequence[str],
        resources: Sequence[str],
        context: Mapping[str, str] | None = None,
    ) -> Sequence[Decision]:
        """What IAM would say to each action on each resource; `context` holds condition keys. Raises NotFound when
        there is no such principal."""
        ...
