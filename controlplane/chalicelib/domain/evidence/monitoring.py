"""Evidence of configure_monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Correlation:
    """Where one request was found by its ids. reply, function_log, access_log: `found`, or `NOT RUN: …`.

    request_id: the proxy's; gateway_request_id: API Gateway's, "" when the function's log does not name it.
    """

    request_id: str = ""
    gateway_request_id: str = ""
    reply: str = ""
    function_log: str = ""
    access_log: str = ""


@dataclass(frozen=True, slots=True)
class MonitoringEvidence:
    """The monitoring of an environment after configure_monitoring.

    topic: ARN. alarms: names of all alarms; removed_alarms: names of deleted alarms that are no longer defined.
    unconfirmed: recipients that have not confirmed their subscription. dashboard: its name. queries: names of the saved
    Logs Insights queries, or one `NOT RUN: …`. filters: names of the metric filters. retention_days: by log group.
    heard: names of the alarms whose test notification arrived, sorted. correlation: None until the request was found.
    repaired: a line for each part that someone had deleted or changed since the last deployment.
    """

    PHASE: ClassVar[str] = "configure_monitoring"

    topic: str = ""
    alarms: tuple[str, ...] = ()
    removed_alarms: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    dashboard: str = ""
    queries: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    retention_days: Mapping[str, int] = field(default_factory=dict)
    heard: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None
    correlation: Correlation | None = None
    repaired: tuple[str, ...] | None = None
