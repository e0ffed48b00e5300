"""`ports.identity` in memory: everything is allowed but what a test denies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chalicelib.domain.aws.identity import Caller, Decision


class FakeIdentity:
    """`denied` holds (role name, action); `roles` the names that exist; `calls` the (actions, resources) of each
    simulation; `before` runs before each of them and may raise."""

    def __init__(self) -> None:
        self.who = Caller("123456789012", "arn:aws:sts::123456789012:assumed-role/PreflightRole/x")
        self.policies: dict[str, str] = {}
        self.policy = "{}"  # of every role that `policies` does not name
        self.roles: set[str] = set()
        self.boundaries: dict[str, str] = {}  # by role; every other role does not exist
        self.denied: set[tuple[str, str]] = set()
        self.questions: list[tuple[str, str, Mapping[str, str]]] = []
        self.calls: list[tuple[Sequence[str], Sequence[str]]] = []
        self.decision = "implicitDeny"  # of what is denied
        self.before: Callable[[str], None] = lambda role: None

    def caller(self) -> Caller:
        return self.who

    def role_arn(self, name: str) -> str | None:
        return f"arn:aws:iam::123456789012:role/{name}" if name in self.roles else None

    def role_policy(self, role: str, policy: str) -> str:
        return self.policies.get(role, self.policy)

    def boundary(self, role: str) -> str | None:
        return self.boundaries.get(role)

    def set_boundary(self, role: str, policy_arn: str) -> None:
        self.boundaries[role] = policy_arn

    def simulate(
        self,
        principal_arn: str,
        actions: Sequence[str],
        resources: Sequence[str],
        context: Mapping[str, str] | None = None,
    ) -> Sequence[Decision]:
        role = principal_arn.rpartition("/")[2]
        self.calls.append((actions, resources))
        self.before(role)
        self.questions += [(role, action, context or {}) for action in actions]
        return [
            Decision(action, resource, self.decision if (role, action) in self.denied else "allowed")
            for action in actions
            for resource in resources
        ]
