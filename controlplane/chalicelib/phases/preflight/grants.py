"""What the roles of the control plane must be allowed, read from their own policies: there is no second list.

A policy's Resource may be `{"Fn::Sub": …}`; this module fills in the CloudFormation variables that it names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Stands for the "*" of a resource pattern: IAM simulates a resource that could exist.
_EXAMPLE = "proxyctl-preflight"
_STRING_OPERATORS = ("StringEquals", "StringLike", "ArnLike", "ArnEquals", "ForAnyValue:String")


@dataclass(frozen=True, slots=True)
class Grant:
    """What one statement allows, as IAM's simulator takes it. context: condition keys and values."""

    policy: str
    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    context: Mapping[str, str] = field(default_factory=dict)


def grants(policy: str, document: Mapping[str, Any], variables: Mapping[str, str]) -> list[Grant]:
    """The Allow statements of a policy document.

    policy: stem of the policy's file. variables: value by name, `AWS::Partition` and the like. Raises KeyError for a
    variable that is not among them.
    """
    return [
        Grant(
            policy,
            statement.get("Sid", f"statement {index}"),
            [str(action) for action in _listed(statement["Action"])],
            [_resolved(resource, variables) for resource in _listed(statement["Resource"])],
            _context(statement.get("Condition", {}), variables),
        )
        for index, statement in enumerate(document["Statement"])
        if statement["Effect"] == "Allow"
    ]


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _resolved(resource: object, variables: Mapping[str, str]) -> str:
    text = str(resource["Fn::Sub"] if isinstance(resource, Mapping) else resource)
    # The simulator takes no pattern in place of an account: a role of any account stands for one of this account.
    whole = text.replace(":iam::*:", ":iam::${AWS::AccountId}:")
    return re.sub(r"\$\{([^}]+)\}", lambda match: variables[match[1]], whole)


def concrete(resource: str) -> str:
    """A resource that the pattern covers; "*" by itself stays, because the simulator takes it."""
    return resource if resource == "*" else resource.replace("*", _EXAMPLE)


def _context(condition: Mapping[str, Mapping[str, object]], variables: Mapping[str, str]) -> dict[str, str]:
    """Values that fulfil the condition, for operators that compare strings."""
    return {
        key: concrete(_resolved(_listed(value)[0], variables))
        for operator, pairs in condition.items()
        if operator.startswith(_STRING_OPERATORS)
        for key, value in pairs.items()
    }


@dataclass(frozen=True, slots=True)
class Missing:
    """An action that a role's policy allows and IAM refuses. decision: `implicitDeny` or `explicitDeny`."""

    policy: str
    action: str
    resource: str
    decision: str

    def __str__(self) -> str:
        return f"{self.policy} may not {self.action} on {self.resource} ({self.decision})"
