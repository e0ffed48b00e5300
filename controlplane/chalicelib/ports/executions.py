"""Executions of the state machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Executions(Protocol):
    def start(self, name: str, execution_input: Mapping[str, object]) -> str:
        """Start an execution; answers its ARN. A second call with the same name starts nothing and answers the same."""
        ...

    def status(self, arn: str) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; None when the execution does not exist."""
        ...

    def approve(self, token: str, answer: Mapping[str, object]) -> None:
        """Complete the task that waits with this token. Raises NotFound when none waits any more."""
        ...

    def refuse(self, token: str, error: str, cause: str) -> None:
        """Fail the task that waits with this token. Raises NotFound when none waits any more."""
        ...
