"""Step Functions behind `ports.executions`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import AwsCallFailed, NotFound

from .session import call


class StepFunctionsExecutions:
    """See the Protocol."""

    def __init__(self, state_machine_arn: str) -> None:
        self._machine = state_machine_arn

    def _arn_of(self, name: str) -> str:
        return self._machine.replace(":stateMachine:", ":execution:") + f":{name}"

    def start(self, name: str, execution_input: Mapping[str, object]) -> str:
        try:
            started = call(
                "stepfunctions",
                "start_execution",
                stateMachineArn=self._machine,
                name=name,
                input=json.dumps(execution_input),
            )
        except AwsCallFailed as error:
            # Same name, and the first is closed already: it did start, which is all that the caller needs.
            if error.aws_code != "ExecutionAlreadyExists":
                raise
            return self._arn_of(name)
        arn: str = started["executionArn"]
        return arn

    def status(self, arn: str) -> str | None:
        try:
            status: str = call("stepfunctions", "describe_execution", executionArn=arn)["status"]
        except NotFound:
            return None
        return status

    def approve(self, token: str, answer: Mapping[str, Any]) -> None:
        self._answer("send_task_success", taskToken=token, output=json.dumps(answer))

    def refuse(self, token: str, error: str, cause: str) -> None:
        self._answer("send_task_failure", taskToken=token, error=error, cause=cause)

    def _answer(self, method: str, **arguments: str) -> None:
        try:
            call("stepfunctions", method, **arguments)
        except AwsCallFailed as error:
            if error.aws_code not in ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken"):
                raise
            raise NotFound("nothing waits with this token any more") from error
