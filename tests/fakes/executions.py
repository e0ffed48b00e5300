"""`ports.executions` in memory: names are used once, as Step Functions does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FakeExecutions:
    def __init__(self) -> None:
        self.started: dict[str, Mapping[str, Any]] = {}
        self.statuses: dict[str, str] = {}
        self.calls = 0

    def start(self, name: str, given: Mapping[str, Any]) -> str:
        self.calls += 1
        arn = f"arn:aws:states:eu-central-1:123456789012:execution:proxyctl-rollout:{name}"
        if name not in self.started:
            self.started[name] = given
            self.statuses[arn] = "RUNNING"
        return arn

    def status(self, arn: str) -> str | None:
        return self.statuses.get(arn)
