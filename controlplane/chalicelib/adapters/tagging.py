"""The Resource Groups Tagging API behind `ports.tagging`."""

from __future__ import annotations

from collections.abc import Mapping

from .session import HOME, Session


class TaggedResources:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def find(self, tags: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        entries = self._session.pages(
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            TagFilters=[{"Key": key, "Values": [value]} for key, value in tags.items()],
        )
        return {item["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])} for item in entries}
