"""What the bake notes between two looks."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.checks.comparison.record_times import Tally


@dataclass(frozen=True, slots=True)
class BakeCursor:
    """looks: how often the alarms were read. read_until_ms: how far the log was read (Unix time), 0 before the first
    look. requests, failures: of the log's lines so far; tallies: of their times."""

    looks: int = 0
    read_until_ms: int = 0
    requests: int = 0
    failures: int = 0
    tallies: tuple[Tally, ...] = ()
