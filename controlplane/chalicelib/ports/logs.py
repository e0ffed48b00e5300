"""CloudWatch Logs: groups, metric filters, saved queries, and search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from chalicelib.domain.aws.logs import LogGroup, LogLine, MetricFilter, SavedQuery

__all__ = ["LogGroup", "LogLine", "Logs", "MetricFilter", "SavedQuery"]


class Logs(Protocol):
    def groups(self, prefix: str) -> Sequence[LogGroup]: ...

    def create_group(self, group: str, tags: Mapping[str, str], key: str = "") -> None:
        """Nothing happens when it exists. key: ARN of the KMS key that encrypts it, "" for none."""
        ...

    def set_retention(self, group: str, days: int) -> None: ...

    def delete_group(self, group: str) -> None:
        """Nothing happens when it is gone."""
        ...

    def filters(self, group: str) -> Sequence[MetricFilter]:
        """Empty for a group that does not exist."""
        ...

    def put_filter(self, wanted: MetricFilter) -> None: ...

    def delete_filter(self, group: str, name: str) -> None: ...

    def keeps_queries(self) -> bool:
        """False where CloudWatch Logs has no saved queries, as in the embedded cloud (docs/fidelity.md)."""
        ...

    def queries(self, prefix: str) -> Sequence[SavedQuery]: ...

    def put_query(self, wanted: SavedQuery) -> None:
        """With an `id`, that query is replaced."""
        ...

    def delete_query(self, query_id: str) -> None: ...

    def search(self, group: str, text: str, since_ms: int) -> Sequence[str]:
        """Lines that contain the text, written since then (epoch milliseconds); none for a group that is not there."""
        ...

    def read(self, group: str, text: str, since_ms: int, until_ms: int) -> Iterator[Sequence[LogLine]]:
        """Lines that contain the text, in pages, of all streams in the order of time; none for a group that is not
        there. until_ms: exclusive."""
        ...

    def tags(self, group_arn: str) -> Mapping[str, str]: ...
