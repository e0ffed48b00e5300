"""Reads what both versions did since the last look, from the proxy's log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from chalicelib.domain.aws.logs import LogLine
from chalicelib.ports import Aws

from .log_lines import MARK, VersionLines, by_version

LATE_S = 10  # a line is there that long after it was written; later ones are missing on both sides alike
MOST_PAGES = 40  # of up to 1 MB, about 800 lines each, at five calls a second
_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """until_ms: where the next reading begins (Unix time)."""

    versions: Mapping[str, VersionLines] = field(default_factory=dict)
    until_ms: int = 0

    def of(self, version: str) -> VersionLines:
        """The requests of this version; none if it has no line."""
        return self.versions.get(version, VersionLines())


def read_times(group: str, since_ms: int, now: datetime, aws: Aws) -> Reading:
    """The requests of users since then, by version; whole seconds only.

    Of more lines than MOST_PAGES hold, the first seconds count: the same ones for both sides.
    """
    until_s = int(now.timestamp()) - LATE_S
    if until_s * _MS_PER_S <= since_ms:
        return Reading(until_ms=since_ms)
    pages: list[list[LogLine]] = []
    before_s = until_s
    for page in aws.logs.read(group, MARK, since_ms, until_s * _MS_PER_S):
        pages.append(list(page))
        if len(pages) == MOST_PAGES:
            before_s = max((line.at_ms for line in page), default=since_ms) // _MS_PER_S
            break
    return Reading(by_version(chain.from_iterable(pages), before_s), until_s * _MS_PER_S)
