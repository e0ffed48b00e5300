"""What the roles of the control plane must be allowed, read from their own policies: there is no second list.

A policy's Resource may be `{"Fn::Sub": …}`; the variables of CloudFormation's that it holds are filled in here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# A "*" in a resource stands for any name: IAM is asked about one that could be.
_ANY = "proxyctl-preflight"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one statement allows, as IAM's simulator is asked about it. context: condition keys and values."""

    policy: str
    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    context: Mapping[str, str] = field(default_factory=dict)


def grants(policy: str, document: Mapping[str, Any], variables: Mapping[str, str]) -> list[Grant]:
    """The Allow statements of a policy document. variables: `AWS::Partition` and the like."""
    found = []
    for index, statement in enumerate(document["Statement"]):
        if statement["Effect"] != "Allow":
            continue
        resources = [_resolved(one, variables) for one in _listed(statement["Resource"])]
        found.append(
            Grant(
                policy,
                statement.get("Sid", f"statement {index}"),
                _listed(statement["Action"]),
                resources,
                _context(statement.get("Condition", {}), variables),
            )
        )
    return found


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _resolved(resource: Any, variables: Mapping[str, str]) -> str:
    text = resource["Fn::Sub"] if isinstance(resource, Mapping) else str(resource)
    return re.sub(r"\$\{([^}]+)\}", lambda match: variables[match[1]], text)


def concrete(resource: str) -> str:
    """A resource that the pattern covers; "*" by itself stays, as IAM takes it so."""
    return resource if resource == "*" else resource.replace("*", _ANY)


def _context(condition: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    """Values that fulfil the condition, as far as it compares strings."""
    context: dict[str, str] = {}
    for operator, pairs in condition.items():
        if operator.startswith(("StringEquals", "StringLike", "ArnLike", "ArnEquals", "ForAnyValue:String")):
            for key, value in pairs.items():
                context[key] = concrete(_resolved(_listed(value)[0], variables))
    return context


def role_of(policy: str) -> str:
    """The logical id of the role that Chalice gives a policy file's function: `LoadTestRole` for `load_test`. The API's
    own goes by the name that Chalice has for it."""
    return "ApiHandlerRole" if policy == "api" else "".join(part.capitalize() for part in policy.split("_")) + "Role"


@dataclass(frozen=True, slots=True)
class Missing:
    """An action that a role's policy promises, and IAM refuses."""

    policy: str
    action: str
    resource: str
    decision: str

    def __str__(self) -> str:
        return f"{self.policy} may not {self.action} on {self.resource} ({self.decision})"


def told(missing: Iterable[Missing]) -> list[str]:
    """One line each, sorted."""
    return sorted(map(str, missing))
