"""Catches a Lambda of the control plane in the middle of a call, and what then may happen to it.

Nothing in the product helps: the emulator runs each Lambda as a child process of its own, and a stopped process
(SIGSTOP) stays where it is for as long as the test wants.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
from boto3.dynamodb.types import TypeDeserializer
from chalicelib.engine import registry

from tests.e2e.rolling import Embedded, until

_PATIENCE_S = 150.0
_DRAIN_S = 0.3
_READ = TypeDeserializer()


class GotAway(AssertionError):
    """The phase was over before it could be caught: a tenth of a second is not long on a busy machine."""


@dataclass(frozen=True)
class Held:
    """The processes of one Lambda, stopped while the state machine waits for its answer."""

    processes: tuple[psutil.Process, ...]

    def kill(self) -> None:
        """SIGKILL, as the kernel does to one that takes too much memory."""
        for item in self.processes:
            with suppress(psutil.NoSuchProcess):
                item.kill()

    def go_on(self) -> None:
        """From where it was stopped; a killed one has gone."""
        for item in self.processes:
            with suppress(psutil.NoSuchProcess):
                item.resume()


def state_of(name: str) -> str:
    """Of phase or step `load_test`: the state, and the Lambda, `LoadTest`."""
    return "".join(word.capitalize() for word in name.split("_"))


@contextmanager
def held(embedded: Embedded, deployment_id: str, name: str, middle: Callable[[], Any] = lambda: True) -> Iterator[Held]:
    """The phase's or step's Lambda, stopped in a call during which `middle` holds; afterwards it goes on."""
    function = embedded.function(state_of(name))
    caught = until(
        f"{name} is in its middle", lambda: _caught(embedded, deployment_id, name, function, middle), _PATIENCE_S
    )
    try:
        yield caught
    finally:
        caught.go_on()


def _caught(embedded: Embedded, deployment_id: str, name: str, function: str, middle: Callable[[], Any]) -> Held | None:
    """One attempt of some seconds, in small steps: what is to be caught may take a tenth of a second."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        recorded = record(embedded, deployment_id, name)
        status = recorded.get("status")
        if status not in (None, "RUNNING"):
            raise GotAway(f"{name} of {deployment_id} is {status} already: {recorded.get('summary')}")
        if status is None:
            if ended_already(embedded, deployment_id):
                raise GotAway(f"{deployment_id} ended before it came to {name}")
            time.sleep(0.02)
        elif middle():
            result = Held(tuple(workers(embedded, function)))
            for item in result.processes:
                item.suspend()
            # What has answered already is heard a moment later: the emulator waits for a Lambda's last log lines.
            time.sleep(_DRAIN_S if result.processes else 0)
            if result.processes and calls(embedded, deployment_id, state_of(name)):
                return result
            result.go_on()  # between two calls: the next one
    return None


def record(embedded: Embedded, deployment_id: str, name: str) -> dict[str, Any]:
    """The phase's item as it lies in the table; {} before it began."""
    key = {"pk": f"DEPLOYMENT#{deployment_id}", "sk": f"PHASE#{registry.number_of(name):02}#{name}"}
    given = {part: {"S": value} for part, value in key.items()}
    result = embedded.boto("dynamodb").get_item(TableName="proxyctl", Key=given, ConsistentRead=True)
    return {field: _READ.deserialize(value) for field, value in result.get("Item", {}).items()}


def ended_already(embedded: Embedded, deployment_id: str) -> bool:
    """Whether the deployment's own execution has ended, or will be told to by nobody."""
    execution = execution_of(embedded, deployment_id)
    return bool(execution) and execution["status"] != "RUNNING"


def execution_of(embedded: Embedded, deployment_id: str) -> dict[str, Any]:
    """The execution that was started for the deployment; {} while it has none."""
    states = embedded.boto("stepfunctions")
    arn = embedded.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{deployment_id}"
    try:
        return dict(states.describe_execution(executionArn=arn))
    except states.exceptions.ExecutionDoesNotExist:
        return {}


def workers(embedded: Embedded, function: str) -> list[psutil.Process]:
    """The processes that the emulator runs this function in."""
    emulator = next(item for item in embedded.cloud.processes if item.name == "emulator")
    result = []
    for child in psutil.Process(emulator.pid).children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if any(f"ministack-lambda-{function}-" in part for part in child.cmdline()):
                result.append(child)
    return result


def calls(embedded: Embedded, deployment_id: str, state: str) -> bool:
    """Whether the state machine waits for that state's Lambda now."""
    arn = execution_of(embedded, deployment_id)["executionArn"]
    deployment = embedded.boto("stepfunctions").get_execution_history(executionArn=arn, reverseOrder=True, maxResults=2)
    last, before = deployment["events"]
    entered = before.get("stateEnteredEventDetails", {}).get("name")
    return bool(last["type"] == "TaskScheduled" and entered == state)
