"""The Resource Groups Tagging API behind `ports.tagging`."""

from __future__ import annotations

from collections.abc import Mapping

from .session import pages


class TaggedResources:
    """See the Protocol."""

    def find(self, tags: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        entries = pages(
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            TagFilters=[{"Key": key, "Values": [value]} for key, value in tags.items()],
        )
        return {item["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])} for item in entries}
