"""What a Lambda's log tells of one invocation: the platform's REPORT line, or the proxy's own metrics without one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_REPORT = re.compile(
    r"^REPORT RequestId: \S+\s+Duration: (?P<duration>[\d.]+) ms\s+Billed Duration: (?P<billed>[\d.]+) ms"
    r"\s+Memory Size: (?P<size>\d+) MB\s+Max Memory Used: (?P<used>\d+) MB(?:\s+Init Duration: (?P<init>[\d.]+) ms)?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Report:
    """Milliseconds and megabytes; None where nobody told. init_from: `REPORT`, `proxy`, or empty for a warm start."""

    duration_ms: float | None = None
    billed_ms: float | None = None
    max_memory_mb: int | None = None
    init_ms: float | None = None
    init_from: str = ""


def read(log: str) -> Report:
    """Reads a log tail of one invocation."""
    own = _own_init_ms(log)
    found = _REPORT.search(log)
    if found is None:
        return Report(init_ms=own, init_from="proxy" if own is not None else "")
    told = found.groupdict()
    # Zero is what the embedded cloud writes: no Python ever ran in that.
    used = int(told["used"]) or None
    init_ms: float | None
    if told["init"] is not None:
        init_ms, init_from = float(told["init"]), "REPORT"
    else:
        init_ms, init_from = own, "proxy" if own is not None else ""
    return Report(float(told["duration"]), float(told["billed"]), used, init_ms, init_from)


def _own_init_ms(log: str) -> float | None:
    """`InitDuration` of the proxy's metrics (Embedded Metric Format), which it writes once an environment."""
    for line in log.splitlines():
        if '"InitDuration"' not in line:
            continue
        try:
            told: Any = json.loads(line[line.index("{") :])
            value = told.get("InitDuration")
            return float(value[0] if isinstance(value, list) else value)
        except (ValueError, TypeError, IndexError, AttributeError):
            continue
    return None
