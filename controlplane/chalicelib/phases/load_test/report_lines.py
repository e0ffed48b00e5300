"""Reads the log of an invocation: Lambda's REPORT line, and the proxy's own metrics where that lacks a figure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

_REPORT = re.compile(
    r"^REPORT RequestId: \S+\s+Duration: (?P<duration>[\d.]+) ms\s+Billed Duration: (?P<billed>[\d.]+) ms"
    r"\s+Memory Size: (?P<size>\d+) MB\s+Max Memory Used: (?P<used>\d+) MB(?:\s+Init Duration: (?P<init>[\d.]+) ms)?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Report:
    """Milliseconds and megabytes; None for what the log lacks. init_from: `REPORT`, `proxy`, or "" for a warm start."""

    duration_ms: float | None = None
    billed_ms: float | None = None
    max_memory_mb: int | None = None
    init_ms: float | None = None
    init_from: str = ""


def read(log: str) -> Report:
    """The figures in the log tail of an invocation."""
    own = _own_init_ms(log)
    report = Report(init_ms=own, init_from="proxy" if own is not None else "")
    line = _REPORT.search(log)
    if line is None:
        return report
    figures = replace(
        report,
        duration_ms=float(line["duration"]),
        billed_ms=float(line["billed"]),
        # The embedded cloud writes 0, which no Python process uses.
        max_memory_mb=int(line["used"]) or None,
    )
    return figures if line["init"] is None else replace(figures, init_ms=float(line["init"]), init_from="REPORT")


def _own_init_ms(log: str) -> float | None:
    """`InitDuration` of the proxy's metrics (Embedded Metric Format), which it writes once per environment."""
    for line in log.splitlines():
        if '"InitDuration"' not in line:
            continue
        try:
            value = json.loads(line[line.index("{") :]).get("InitDuration")
            return float(value[0] if isinstance(value, list) else value)
        except (ValueError, TypeError, IndexError, AttributeError):
            continue
    return None
