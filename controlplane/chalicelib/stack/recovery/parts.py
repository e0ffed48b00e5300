"""The template without a part of the stack that someone deleted: the API, or the function.

CloudFormation creates a deleted resource again only when it leaves the template and comes back: one update removes it,
the next one adds it (https://repost.aws/knowledge-center/failing-stack-updates-deleted).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Literal

Part = Literal["API", "function"]
FUNCTION = "AWS::Lambda::Function"
# What belongs to a part, by the beginning of its type: a permission names the API and an alias.
_TYPES: dict[Part, tuple[str, ...]] = {
    "API": ("AWS::ApiGateway::", "AWS::Lambda::Permission", "AWS::WAFv2::WebACLAssociation"),
    "function": ("AWS::Lambda::",),
}
# A domain stays where its API is gone: records and users' address are worth keeping.
_OUTLIVES = "AWS::ApiGateway::DomainName"
_FUNCTION = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:proxyctl-${Environment}-proxy"
_ALIASES = {"${LiveAlias}": f"{_FUNCTION}:live", "${CandidateAlias}": f"{_FUNCTION}:candidate"}
_TYPE = re.compile(r"^    Type: ([\w:]+)$", re.MULTILINE)


def is_of(resource_type: str, parts: Iterable[Part]) -> bool:
    """Whether a resource of this type goes with one of the parts."""
    return resource_type != _OUTLIVES and any(resource_type.startswith(_TYPES[part]) for part in parts)


def without(text: str, parts: Collection[Part]) -> str:
    """The template without the resources and outputs of the parts. All else keeps its value.

    A method of the API that calls an alias names it by its ARN, which is what the reference to the alias answers.
    """
    head, resources, outputs = _sections(text)
    blocks = list(_blocks(resources))
    removed = {name for name, block in blocks if (kind := _TYPE.search(block)) and is_of(kind[1], parts)}
    remaining = "".join(block for name, block in blocks if name not in removed)
    for reference, arn in _ALIASES.items():
        remaining = remaining.replace(reference, arn)
    shown = "".join(block for _, block in _blocks(outputs) if not removed & set(re.findall(r"\w+", block)))
    return f"{head}\nResources:\n{remaining}\nOutputs:\n{shown}"


def _sections(text: str) -> tuple[str, str, str]:
    """What stands before the resources, the resources, and the outputs, which end the template."""
    head, _, rest = text.partition("\nResources:\n")
    resources, _, outputs = rest.partition("\nOutputs:\n")
    return head, resources, outputs


def _blocks(section: str) -> Iterator[tuple[str, str]]:
    """(logical id, lines) of each entry of a section."""
    for block in re.split(r"^(?=  \w)", section, flags=re.MULTILINE):
        if name := re.match(r"  (\w+):", block):
            yield name[1], block
