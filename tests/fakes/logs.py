"""`ports.logs` in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.aws.logs import LogGroup, LogLine
from chalicelib.ports.logs import MetricFilter, SavedQuery


class FakeLogs:
    """`returns`: groups that come back, once each, after they were deleted, as by a late log line."""

    def __init__(self) -> None:
        self.kept: dict[str, LogGroup] = {}
        self.lines: dict[str, list[str]] = {}
        self.dated: dict[str, list[LogLine]] = {}
        self.page = 100
        self.counting: dict[tuple[str, str], MetricFilter] = {}
        self.saved: dict[str, SavedQuery] = {}
        self.has_queries = True
        self.returns: list[str] = []

    def add(self, name: str, retention_days: int | None = 14) -> None:
        self.kept[name] = LogGroup(name, f"arn:aws:logs:eu-central-1:123456789012:log-group:{name}", retention_days)

    def groups(self, prefix: str) -> Sequence[LogGroup]:
        return [group for name, group in sorted(self.kept.items()) if name.startswith(prefix)]

    def create_group(self, group: str, tags: Mapping[str, str], key: str = "") -> None:
        self.kept.setdefault(group, LogGroup(group, f"arn:aws:logs:eu-central-1:123456789012:log-group:{group}", None))

    def set_retention(self, group: str, days: int) -> None:
        self.kept[group] = replace(self.kept[group], retention_days=days)

    def delete_group(self, group: str) -> None:
        self.kept.pop(group, None)
        if group in self.returns:
            self.returns.remove(group)
            self.add(group, None)

    def filters(self, group: str) -> Sequence[MetricFilter]:
        return [item for (where, _), item in self.counting.items() if where == group]

    def put_filter(self, wanted: MetricFilter) -> None:
        self.counting[wanted.group, wanted.name] = wanted

    def delete_filter(self, group: str, name: str) -> None:
        self.counting.pop((group, name), None)

    def keeps_queries(self) -> bool:
        return self.has_queries

    def queries(self, prefix: str) -> Sequence[SavedQuery]:
        return [query for query in self.saved.values() if query.name.startswith(prefix)]

    def put_query(self, wanted: SavedQuery) -> None:
        query_id = wanted.id or f"q{1 + max((int(query_id[1:]) for query_id in self.saved), default=0)}"
        self.saved[query_id] = replace(wanted, id=query_id)

    def delete_query(self, query_id: str) -> None:
        self.saved.pop(query_id, None)

    def search(self, group: str, text: str, since_ms: int) -> Sequence[str]:
        return [line for line in self.lines.get(group, []) if text in line]

    def read(self, group: str, text: str, since_ms: int, until_ms: int) -> Iterator[Sequence[LogLine]]:
        lines = [line for line in self.dated.get(group, []) if since_ms <= line.at_ms < until_ms and text in line.text]
        lines.sort(key=lambda line: line.at_ms)
        for start in range(0, len(lines), self.page):
            yield lines[start : start + self.page]

    def tags(self, group_arn: str) -> Mapping[str, str]:
        return {}
