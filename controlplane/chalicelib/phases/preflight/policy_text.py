"""What the text of a role's policy allows, for actions that IAM's simulator cannot judge. Pure.

AWS's service authorization data name no resource type for these actions. On a statement that names a resource the
simulator answers `implicitDeny`, while the call itself works: https://github.com/aws/aws-cdk/pull/8486 for
`states:SendTaskSuccess`. `resourceless.json` lists those of our policies; `python -m judges.resourceless` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from .grants import Missing


@cache
def resourceless() -> frozenset[str]:
    """Actions without a resource type."""
    return frozenset(json.loads(Path(__file__).with_name("resourceless.json").read_text()))


def decides(missing: Missing) -> bool:
    """Whether the text counts instead of the simulator's decision. A Deny statement that matched is exact."""
    return missing.action in resourceless() and missing.decision == "implicitDeny"


def allows(document: str, action: str, resource: str) -> bool:
    """Whether a policy (JSON) allows an action, on `*` or on a pattern that covers the resource. Conditions are not
    looked at; a Deny of the action refuses it."""
    statements = _listed(json.loads(document or "{}").get("Statement", []))
    effects = {
        str(statement.get("Effect"))
        for statement in statements
        if _is_about(statement, action) and _on(statement, resource)
    }
    return effects == {"Allow"}


def _is_about(statement: Mapping[str, object], action: str) -> bool:
    return any(fnmatchcase(action.lower(), str(each).lower()) for each in _listed(statement.get("Action", [])))


def _on(statement: Mapping[str, object], resource: str) -> bool:
    return any(fnmatchcase(resource, str(each)) for each in _listed(statement.get("Resource", [])))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
