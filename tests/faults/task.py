"""A phase as its Lambda: through the runner, with record, lock and lease, called again and ended as the state machine
does it (statemachine/rollout.asl.yaml)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import yaml
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import Aborted, LockLost, PhaseFailed, Throttled
from chalicelib.domain.model import LEASE_S, Deployment, DeploymentStatus, Environment, Lock, PhaseRecord, PhaseStatus
from chalicelib.engine import registry, runner
from chalicelib.engine.phase import Phase, Plan, Request, Run
from chalicelib.phases.load_test import measure
from chalicelib.phases.preflight import simulate
from chalicelib.phases.preflight.repeat import Pace
from chalicelib.ports import Aws

from tests.fakes import FakeAws
from tests.faults.injection import Killed

_ASL = Path(__file__).resolve().parents[2] / "statemachine" / "rollout.asl.yaml"
_CALLS = 80
_BACK = ("roll_back", "restore_settings", "record_outcome")
_STUBBORN = 6  # retries of any error, of RollBack and RecordOutcome
_RETRIES: Mapping[type[BaseException], int] = {Throttled: 5, Killed: 1}
Between = Callable[[FakeAws, Mapping[str, Any]], None]


class Stopped(Exception):
    """The execution was stopped from outside: nobody waits for this Lambda's answer."""


@cache
def states() -> Mapping[str, Any]:
    """The states of the rollout."""
    return cast(Mapping[str, Any], yaml.safe_load(_ASL.read_text())["States"])


@dataclass
class Clock:
    """A millisecond passes with each reading."""

    now: datetime

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@contextmanager
def pauses_of(clock: Clock) -> Iterator[None]:
    """Let the pauses within a phase move this clock instead of taking time."""
    pace = partial(Pace, sleep=clock.pause, clock=lambda: clock.now.timestamp())
    version = partial(measure.temporary_version, sleep=clock.pause)
    with patch.object(simulate, "Pace", pace), patch.object(measure, "temporary_version", version):
        yield


@dataclass
class Task:
    """One phase of one deployment, as its execution runs it.

    plan: what the runner would compute for a phase that asks for it, since the worlds here hold no other phases.
    begins: called before each call of the Lambda. runs: in place of the phase's own run.
    """

    fake: FakeAws
    phase: str
    deployment: Deployment
    clock: Clock
    plan: Mapping[str, bool] = field(default_factory=dict)
    between: Between = lambda _fake, _cursor: None
    arn: str = "arn:execution"
    begins: Callable[[], None] = lambda: None
    runs: Run[object] | None = None
    error: Mapping[str, str] | None = None

    @property
    def event(self) -> dict[str, object]:
        """What the state machine sends."""
        fields: dict[str, object] = {
            "deployment_id": self.deployment.id,
            "environment": self.deployment.environment,
            "action": self.deployment.action.value,
            "execution_arn": self.arn,
        }
        return fields | ({"error": self.error} if self.error else {})

    def call(self, aws: Aws) -> Mapping[str, object]:
        """One call of the Lambda."""
        self.await_aws()
        self.begins()
        with pauses_of(self.clock):
            return runner.run(self.phase, self.event, aws, self.clock, self._load, self._sleep)

    def _sleep(self, seconds: float) -> None:
        """A short wait inside the Lambda: AWS goes on meanwhile."""
        self.clock.pause(seconds)
        self.await_aws()

    def await_aws(self) -> None:
        """What AWS does by itself before the next call."""
        recorded = self.fake.records.recorded.get(self.deployment.id, {}).get(self.phase)
        if recorded and recorded.cursor:
            self.between(self.fake, recorded.cursor)

    def _load(self, name: str) -> Phase:
        phase: Any = registry.load(name)
        if name != self.phase:
            return cast(Phase, phase)
        run = self.runs or phase.run
        planned = replace(phase, plan=Plan.NONE, run=lambda request, aws: run(replace(request, plan=self.plan), aws))
        return cast(Phase, planned)

    def run(self, aws: Aws) -> BaseException | None:
        """Call until the phase has ended; answers the error that Step Functions catches, None for none."""
        retried: dict[type[BaseException], int] = {}
        for _ in range(_CALLS):
            try:
                answer = self.call(aws)
            except (Throttled, Killed) as error:
                if self._gives_up(error, type(error), retried):
                    return error
                continue
            except Exception as error:  # noqa: BLE001 - what the runner records as InternalError is an end, too
                if not self._is_stubborn(error) or self._gives_up(error, Exception, retried):
                    return error
                continue
            retried.clear()
            if answer["status"] != "IN_PROGRESS":
                return None
            if self.phase == "record_outcome":  # AbortedAtLast
                return Aborted("asked to stop before the outcome was on record")
            self.clock.now += timedelta(seconds=int(str(answer["poll_after_s"])))
        return AssertionError(f"{self.phase} has not ended after {_CALLS} calls")

    def _is_stubborn(self, error: Exception) -> bool:
        if self.phase == "roll_back":
            return not isinstance(error, LockLost | PhaseFailed)
        return self.phase == "record_outcome"

    def _gives_up(
        self, error: BaseException, kind: type[BaseException], retried: dict[type[BaseException], int]
    ) -> bool:
        allowed = _STUBBORN if self.phase in ("roll_back", "record_outcome") else _RETRIES.get(kind, _STUBBORN)
        retried[kind] = retried.get(kind, 0) + 1
        return retried[kind] > allowed


def enter(fake: FakeAws, phase: str, request: Request, between: Between) -> Task:
    """Write what stands on record when the phase is called: deployment, lock, evidence before it, its own cursor."""
    deployment = Deployment(
        request.deployment_id, request.environment.name, request.action, DeploymentStatus.RUNNING, request.config,
        request.options, "2026-01-02T03:00:00.000+00:00", execution_arn="arn:execution",
    )  # fmt: skip
    records, name = fake.records, request.environment.name
    records.started[deployment.id] = deployment
    lock = Lock(deployment.id, "arn:execution", request.now.timestamp() + LEASE_S)
    records.attributes[name] = {
        **_attributes(request.environment), **records.attributes.get(name, {}), "lock": asdict(lock),
    }  # fmt: skip
    recorded = records.recorded.setdefault(deployment.id, {})
    for before, evidence in request.results.recorded.items():
        recorded[before] = PhaseRecord(registry.number_of(before), before, PhaseStatus.SUCCEEDED, evidence=evidence)
    recorded.pop(phase, None)
    if request.cursor:
        number, begun = registry.number_of(phase), request.started_at.isoformat()
        recorded[phase] = PhaseRecord(
            number, phase, PhaseStatus.RUNNING, begun, cursor=request.cursor, waits_for=request.waits.step, polls=1
        )
    return Task(fake, phase, deployment, Clock(request.now), request.plan, between)


def _attributes(environment: Environment) -> dict[str, Any]:
    plain: dict[str, Any] = encode(environment)
    applied = plain.pop("applied") or {}
    plain.pop("name")
    return plain | {f"applied_{name}": value for name, value in applied.items()}


def finish(task: Task, error: BaseException, caught: str) -> list[BaseException]:
    """Run the end of the rollout, as the state machine does after `error`; answers the errors of its steps.

    caught: the name under which Step Functions catches a process that died.
    """
    name = caught if isinstance(error, Killed) else type(error).__name__
    failures = []
    for step in _steps(task, error):
        ending = replace(_ending(task, step), error={"Error": name, "Cause": str(error)})
        failure = ending.run(task.fake.as_aws())
        failures += [failure] if failure else []
    return failures


def settle(task: Task) -> list[BaseException]:
    """As the sweeper has it done for an execution that was stopped: another execution runs the end only."""
    settling = replace(task, arn="arn:settling")
    failures = []
    for step in _BACK:
        cause = {"Error": "ExecutionStopped", "Cause": "The execution was stopped from outside"}
        failure = replace(_ending(settling, step), error=cause).run(task.fake.as_aws())
        failures += [failure] if failure else []
    return failures


def _ending(task: Task, step: str) -> Task:
    """A step of the end, which meets no fault."""
    return replace(task, phase=step, between=lambda _fake, _cursor: None, begins=lambda: None, runs=None)


def _steps(task: Task, error: BaseException) -> tuple[str, ...]:
    """The steps after a failure of this phase."""
    if task.phase == "record_outcome":
        return _BACK if isinstance(error, Aborted) else ()
    target = states()[registry.pascal(task.phase)]["Catch"][0]["Next"]
    back = target == "RollBack" or (target == "CleanUpFailed" and task.deployment.action.value != "cleanup")
    return _BACK if back else ("record_outcome",)


def aborted(task: Task) -> Aborted | None:
    """What the next phase raises when someone has asked the deployment to stop; None otherwise."""
    stands = task.fake.records.deployment(task.deployment.id)
    return Aborted("stopped on request", remedy="resume") if stands.abort_requested else None
