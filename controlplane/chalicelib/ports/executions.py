"""Runs of the state machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Executions(Protocol):
    def start(self, name: str, given: Mapping[str, Any]) -> str:
        """Start under a name that is used once; a second call with the same name answers with the same ARN."""
        ...

    def status(self, arn: str) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; None when there is no such execution."""
        ...

    def approve(self, token: str, answer: Mapping[str, Any]) -> None:
        """Let the task that waits with this token go on. Raises NotFound when none waits any more."""
        ...

    def refuse(self, token: str, error: str, cause: str) -> None:
        """Let it fail. Raises NotFound when none waits any more."""
        ...
