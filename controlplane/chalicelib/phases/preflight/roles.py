"""The control plane's roles as they exist, each with the policy that it should have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.settings import Settings
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.policies import bounded_by, of_rollouts, role_of, target_documents, uses_key

from . import grants
from .grants import Grant


@dataclass(frozen=True, slots=True)
class Role:
    """A role and what its policy grants. policy: stem of the policy's file. name: of the role in IAM.

    left_out: grants with conditions, in the embedded cloud, whose simulator ignores the context. key: under which the
    simulator's answers are remembered; roles in targets have the same names in every account.
    """

    policy: str
    name: str
    arn: str
    key: str
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
        return f"{role_of(self.policy)}Policy"


def existing(names: Mapping[str, str], settings: Settings) -> Iterator[Role]:
    """The roles of all policies that a rollout works with. names: role name by logical id, as the control plane's stack
    has them."""
    for policy, document in _documents(settings).items():
        if name := names.get(role_of(policy)):
            every = grants.grants(policy, document, _variables(settings))
            left_out = [grant for grant in every if grant.context and settings.embedded]
            arn = f"arn:{settings.partition}:iam::{settings.account}:role/{name}"
            key = f"{settings.account}_{name}" if settings.is_target else name
            yield Role(policy, name, arn, key, [grant for grant in every if grant not in left_out], left_out)


def _documents(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    every = target_documents() if settings.is_target else of_rollouts()
    return {policy: _as_installed(document, settings) for policy, document in every.items()}


def _as_installed(document: Mapping[str, Any], settings: Settings) -> Mapping[str, Any]:
    """The policy with what the installation asked for: its own boundary, and its key."""
    statements = bounded_by(document["Statement"], lambda own: settings.boundary or own)
    key = uses_key(statements) if settings.kms_key_arn else None
    return {**document, "Statement": [*statements, *([key] if key else [])]}


def missing(names: Mapping[str, str], settings: Settings) -> list[str]:
    """Policies without a role."""
    return [policy for policy in _documents(settings) if role_of(policy) not in names]


def _variables(settings: Settings) -> Mapping[str, str]:
    return {
        "AWS::Partition": settings.partition,
        "AWS::Region": settings.region,
        "AWS::AccountId": settings.account,
        "AWS::URLSuffix": settings.url_suffix,
        "BucketName": settings.bucket,
        "KmsKeyArn": settings.kms_key_arn,
    }
