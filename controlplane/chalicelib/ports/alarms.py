"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.domain.aws.alarms import Alarm, AlarmState, Metric

__all__ = ["Alarm", "AlarmState", "Alarms", "Metric"]


class Alarms(Protocol):
    def find(self, prefix: str) -> Sequence[AlarmState]:
        """All metric alarms whose names begin so, with what they are defined as."""
        ...

    def ringing(self, prefix: str) -> Sequence[str]:
        """The names of those in state ALARM, sorted."""
        ...

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Give an alarm tags: `put` gives them only to a new one."""
        ...

    def put(self, alarm: Alarm, tags: Mapping[str, str]) -> None: ...

    def set_state(self, name: str, state: str, reason: str) -> None: ...

    def delete(self, names: Sequence[str]) -> None: ...

    def dashboard(self, name: str) -> str | None:
        """Its body, as JSON text."""
        ...

    def put_dashboard(self, name: str, body: str) -> None: ...

    def delete_dashboards(self, names: Sequence[str]) -> None: ...
