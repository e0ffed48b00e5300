"""Progress of configure_monitoring, stored between two calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from chalicelib.domain.aws.topics import Probe
from chalicelib.domain.evidence.monitoring import MonitoringEvidence


@dataclass(frozen=True, slots=True)
class MonitoringCursor:
    """step: `notifications` while the phase waits for them, `logs` while it looks for a request's log lines.

    configured: evidence of what was applied. queue: the test queue, None after its deletion.
    since_s: seconds from the phase's first call to the step's first wait, None before it. fired_s: seconds from the
    phase's first call to the last time that alarms were fired. request_id: of the request
    that is looked for; search_from_ms: epoch milliseconds, the oldest log line that may belong to it.
    """

    step: Literal["", "notifications", "logs"] = ""
    configured: MonitoringEvidence = field(default_factory=MonitoringEvidence)
    queue: Probe | None = None
    since_s: float | None = None
    fired_s: float = 0.0
    request_id: str = ""
    search_from_ms: int = 0
