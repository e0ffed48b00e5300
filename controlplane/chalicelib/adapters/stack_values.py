"""CloudFormation's answers, as boto3 returns them, turned into the values of `domain.aws.stacks`.

Apart from `stacks.py` and with the standard library only, because the installer uses these conversions with a client of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.domain.aws.stacks import Change, Stack, StackEvent

Answer = Mapping[str, Any]


def stack_of(answer: Answer) -> Stack:
    """One stack of DescribeStacks."""
    return Stack(
        name=answer["StackName"],
        id=answer.get("StackId", ""),
        status=answer["StackStatus"],
        reason=answer.get("StackStatusReason", ""),
        outputs={item["OutputKey"]: item["OutputValue"] for item in answer.get("Outputs", [])},
        parameters={item["ParameterKey"]: item.get("ParameterValue", "") for item in answer.get("Parameters", [])},
        tags={item["Key"]: item["Value"] for item in answer.get("Tags", [])},
        created_at=_iso(answer.get("CreationTime")),
        updated_at=_iso(answer.get("LastUpdatedTime")),
        protected=bool(answer.get("EnableTerminationProtection")),
    )


def event_of(answer: Answer) -> StackEvent:
    """One event of DescribeStackEvents."""
    return StackEvent(
        id=answer["EventId"],
        at=_iso(answer.get("Timestamp")),
        logical_id=answer.get("LogicalResourceId", ""),
        resource_type=answer.get("ResourceType", ""),
        status=answer.get("ResourceStatus", ""),
        reason=answer.get("ResourceStatusReason", ""),
        physical_id=answer.get("PhysicalResourceId", ""),
    )


def change_of(answer: Answer) -> Change:
    """One change of DescribeChangeSet."""
    resource = answer["ResourceChange"]
    targets = [detail.get("Target", {}) for detail in resource.get("Details", [])]
    because = sorted({target.get("Name") or target.get("Attribute", "") for target in targets})
    return Change(
        logical_id=resource["LogicalResourceId"],
        resource_type=resource["ResourceType"],
        action=resource["Action"],
        replacement=resource.get("Replacement", ""),
        physical_id=resource.get("PhysicalResourceId", ""),
        because=tuple(because),
    )


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
