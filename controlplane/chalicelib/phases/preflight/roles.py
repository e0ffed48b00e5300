"""The control plane's roles as they exist, each with the policy that it should have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.settings import Settings
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.policies import of_rollouts

from . import grants
from .grants import Grant


@dataclass(frozen=True, slots=True)
class Role:
    """A role and what its policy grants. policy: stem of the policy's file. name: of the role in IAM.

    left_out: grants with conditions, in the embedded cloud, whose simulator ignores the context.
    """

    policy: str
    name: str
    arn: str
    grants: Sequence[Grant]
    left_out: Sequence[Grant]

    @property
    def digest(self) -> str:
        """Of everything that the simulator is asked about this role."""
        return fingerprint(self.grants)

    @property
    def actions(self) -> int:
        """How many actions the simulator is asked about."""
        return sum(len(grant.actions) for grant in self.grants)

    @property
    def inline_policy(self) -> str:
        """The name that Chalice gives the role's policy."""
        return f"{grants.role_of(self.policy)}Policy"


def existing(names: Mapping[str, str], settings: Settings) -> Iterator[Role]:
    """The roles of all policies that a rollout works with. names: role name by logical id, as the control plane's stack
    has them."""
    for policy, document in of_rollouts().items():
        if name := names.get(grants.role_of(policy)):
            every = grants.grants(policy, document, _variables(settings))
            left_out = [grant for grant in every if grant.context and settings.embedded]
            arn = f"arn:{settings.partition}:iam::{settings.account}:role/{name}"
            yield Role(policy, name, arn, [grant for grant in every if grant not in left_out], left_out)


def missing(names: Mapping[str, str]) -> list[str]:
    """Policies without a role."""
    return [policy for policy in of_rollouts() if grants.role_of(policy) not in names]


def _variables(settings: Settings) -> Mapping[str, str]:
    return {
        "AWS::Partition": settings.partition,
        "AWS::Region": settings.region,
        "AWS::AccountId": settings.account,
        "AWS::URLSuffix": "amazonaws.com",
    }
