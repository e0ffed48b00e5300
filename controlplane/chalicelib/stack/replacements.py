"""Which changes of a change set destroy something that no rollback brings back: logs, URLs, function versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.aws.stacks import Change

# What is lost when a resource of this type is replaced or removed.
_LOST_WITH = {
    "AWS::Logs::LogGroup": "its log lines",
    "AWS::ApiGateway::RestApi": "the URL that users call",
    "AWS::ApiGateway::Stage": "the URL that users call",
    "AWS::Lambda::Function": "all published versions, so nothing could be rolled back to",
    "AWS::Lambda::Alias": "the alias that users' requests go to",
}
# The properties of these types whose change replaces the resource ("Update requires: Replacement" in the CloudFormation
# reference). CloudFormation answers `Conditional` for any change that it has not worked out; only a change of these
# properties makes `Conditional` a replacement.
_REPLACING_PROPERTIES = {
    "AWS::Logs::LogGroup": {"LogGroupName"},
    "AWS::ApiGateway::RestApi": set[str](),
    "AWS::ApiGateway::Stage": {"RestApiId", "StageName"},
    "AWS::Lambda::Function": {"FunctionName", "PackageType"},
    "AWS::Lambda::Alias": {"FunctionName", "Name"},
}


@dataclass(frozen=True, slots=True)
class DestructiveChange:
    """A change that replaces or removes a resource of which something is lost for good.

    action: Modify or Remove; lost: what is lost; because: the changed properties, or the action.
    """

    logical_id: str
    resource_type: str
    action: str
    lost: str
    because: str

    def __str__(self) -> str:
        verb = "removes" if self.action == "Remove" else "replaces"
        return f"{verb} {self.logical_id} ({self.resource_type}; changed: {self.because}), losing {self.lost}"


def destructive(changes: Iterable[Change]) -> list[DestructiveChange]:
    """The changes of a change set that replace or remove a log group, an API, a stage, a function or an alias."""
    return [
        DestructiveChange(
            change.logical_id,
            change.resource_type,
            change.action,
            _LOST_WITH[change.resource_type],
            ", ".join(change.because) or change.action.lower(),
        )
        for change in changes
        if change.resource_type in _LOST_WITH and deletes_resource(change)
    ]


def deletes_resource(change: Change) -> bool:
    """Whether the existing resource is deleted by the change: removed, or replaced by a new one."""
    if change.action != "Modify":
        return change.action == "Remove"
    if change.replacement == "Conditional":
        return bool(_REPLACING_PROPERTIES.get(change.resource_type, set()) & set(change.because))
    return change.replacement == "True"
