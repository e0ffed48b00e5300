"""`ports.executions` in memory: names are used once, as Step Functions does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import NotFound


class FakeExecutions:
    def __init__(self, machine: str = "proxyctl-rollout") -> None:
        self.machine = machine
        self.started: dict[str, Mapping[str, Any]] = {}
        self.statuses: dict[str, str] = {}
        self.calls = 0
        self.waiting: set[str] = set()
        self.answered: dict[str, dict[str, Any]] = {}

    def start(self, name: str, given: Mapping[str, Any]) -> str:
        self.calls += 1
        arn = f"arn:aws:states:eu-central-1:123456789012:execution:{self.machine}:{name}"
        if name not in self.started:
            self.started[name] = given
            self.statuses[arn] = "RUNNING"
        return arn

    def status(self, arn: str) -> str | None:
        return self.statuses.get(arn)

    def end(self, name: str, status: str) -> None:
        """As if it ended, by itself or in the console."""
        self.statuses[self.start(name, {})] = status

    def approve(self, token: str, answer: Mapping[str, Any]) -> None:
        self._take(token)["approved"] = dict(answer)

    def refuse(self, token: str, error: str, cause: str) -> None:
        self._take(token)["refused"] = error

    def _take(self, token: str) -> dict[str, Any]:
        if token not in self.waiting:
            raise NotFound("nothing waits with this token any more")
        self.answered[token] = {}
        self.waiting.remove(token)
        return self.answered[token]
