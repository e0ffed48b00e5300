"""The template between two releases: the new one's functions and versions stand beside the old one, which serves.

Users and executions meet what serves: aliases `live`, state machines, the API, and whatever calls functions by itself.
These stay as they are; all else is the new release's already, so that its candidates find what they need. Nothing of
the old release is removed before the promotion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from .versions import CANDIDATE, LIVE, Template, functions, version_id

# What would begin to work for users, or by itself, if it were new.
_STARTS_BY_ITSELF = frozenset(
    {
        "AWS::Events::Rule",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::Scheduler::Schedule",
    }
)
_SERVES = _STARTS_BY_ITSELF | {"AWS::Serverless::Api", "AWS::StepFunctions::StateMachine"}
_ROLE, _ALIAS = "AWS::IAM::Role", "AWS::Lambda::Alias"


def staged(before: Mapping[str, Any], after: Mapping[str, Any], publication: str) -> Template:
    """before: the template that serves; after: the release's, with the versions of its publication."""
    stage = {name: each for name, each in after.get("Outputs", {}).items() if name == "Stage"}
    candidates = {f"{name}Candidate": _candidate(name, version_id(name, publication)) for name in functions(after)}
    result = {
        **after,
        "Resources": {**_resources(before["Resources"], after["Resources"]), **candidates},
        "Parameters": {**before.get("Parameters", {}), **after.get("Parameters", {})},
        "Outputs": {**before.get("Outputs", {}), **stage},
    }
    return deepcopy(result)


def _candidate(function: str, version: str) -> Template:
    number = {"Fn::GetAtt": [version, "Version"]}
    properties = {"FunctionName": {"Ref": function}, "FunctionVersion": number, "Name": CANDIDATE}
    return {"Type": _ALIAS, "Properties": properties}


def _resources(before: Mapping[str, Any], after: Mapping[str, Any]) -> Template:
    merged = dict(before)
    for name, resource in after.items():
        old = before.get(name)
        if old is None:
            if resource["Type"] not in _STARTS_BY_ITSELF:
                merged[name] = resource
        elif not _serves(old):
            merged[name] = _with_rights_of(old, resource) if resource["Type"] == _ROLE else resource
    return merged


def _serves(resource: Mapping[str, Any]) -> bool:
    is_live = resource["Type"] == _ALIAS and resource["Properties"]["Name"] == LIVE
    return is_live or resource["Type"] in _SERVES


def _with_rights_of(old: Mapping[str, Any], new: Mapping[str, Any]) -> Template:
    """The new role, with one more policy for what only the old one may do: its versions still run."""
    result: Template = deepcopy(dict(new))
    allowed = list(_statements(new))
    left = [rest for statement in _statements(old) if (rest := _beyond(statement, allowed))]
    if left:
        document = {
            "Version": "2012-10-17",
            "Statement": [{**rest, "Sid": f"Before{n}"} if _is_plain(rest) else rest for n, rest in enumerate(left)],
        }
        result["Properties"].setdefault("Policies", []).append(
            {"PolicyName": "until-the-promotion", "PolicyDocument": document}
        )
    return result


def _statements(role: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for policy in role["Properties"].get("Policies", []):
        if policy["PolicyName"] != "until-the-promotion":
            yield from policy["PolicyDocument"]["Statement"]


def _beyond(statement: Mapping[str, Any], allowed: list[Mapping[str, Any]]) -> Template:
    """What of an Allow statement no statement with the same actions and condition allows; {} for nothing."""
    if not _is_plain(statement):
        return {} if statement in allowed else {**statement}
    if statement["Effect"] != "Allow":
        return {}
    same = [other for other in allowed if _is_plain(other) and _kind(other) == _kind(statement)]
    have = [resource for other in same for resource in _listed(other["Resource"])]
    left = [resource for resource in _listed(statement["Resource"]) if resource not in have]
    return {**statement, "Resource": left} if left else {}


def _is_plain(statement: Mapping[str, Any]) -> bool:
    """Whether it is a statement, and not a choice between statements (`Fn::If`)."""
    return "Effect" in statement


def _kind(statement: Mapping[str, Any]) -> str:
    actions = sorted(_listed(statement["Action"]))
    return json.dumps([statement["Effect"], actions, statement.get("Condition")], sort_keys=True)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
