"""One call of one phase: guarded, skipped when nothing changed, recorded before it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.config import Config, Options
from chalicelib.domain.errors import Aborted, BadRequest, Conflict, LockLost, PhaseFailed, Throttled
from chalicelib.domain.model import LEASE_S, Action, Deployment, DeploymentStatus, Lock, PhaseStatus
from chalicelib.engine import runner
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws

from tests.fakes import FakeAws

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENT = {"deployment_id": "d-1", "environment": "dev", "action": "deploy", "execution_arn": "arn:one"}


class Clock:
    """A second passes with each look."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def phase(run: Callable[[Request, Aws], Result], name: str = "deploy_stack", **attributes: Any) -> ModuleType:
    module = ModuleType(f"chalicelib.phases.{name}")
    module.__dict__.update(run=run, **attributes)
    return module


def world(deployment_id: str = "d-1", **options: Any) -> FakeAws:
    return begin(FakeAws(), deployment_id, **options)


def begin(aws: FakeAws, deployment_id: str, action: Action = Action.DEPLOY, **options: Any) -> FakeAws:
    deployment = Deployment(
        deployment_id, "dev", action, DeploymentStatus.RUNNING, Config(), Options(**options), NOW.isoformat()
    )
    aws.records.start(deployment, Lock(deployment_id, "", 0), None, None)
    return aws


def call(aws: FakeAws, module: ModuleType, **event: Any) -> dict[str, Any]:
    name = module.__name__.rpartition(".")[2]
    return runner.run(name, EVENT | event, aws.as_aws(), Clock(), load={name: module}.__getitem__)


def good(request: Request, aws: Aws) -> Result:
    return Result.done("It is done", version="7")


def test_what_a_phase_did_is_on_record_with_its_times_before_the_answer() -> None:
    aws = world()
    answer = call(aws, phase(good))
    record = aws.records.recorded["d-1"]["deploy_stack"]
    assert answer == {"status": "SUCCEEDED", "poll_after_s": 0, "summary": "It is done", "map": "NONE"}
    assert (record.number, record.status, record.evidence) == (4, PhaseStatus.SUCCEEDED, {"version": "7"})
    assert (record.started_at, record.ended_at) == ("2026-01-02T03:04:06.000+00:00", "2026-01-02T03:04:07.000+00:00")
    assert [event["kind"] for event in aws.records.events("d-1")] == ["deploy_stack.started", "deploy_stack.succeeded"]


def test_the_deployment_shows_the_phase_that_is_running() -> None:
    aws = world()
    seen: list[str | None] = []

    def look(request: Request, given: Aws) -> Result:
        seen.append(given.records.deployment("d-1").current_phase)
        return Result.done("")

    call(aws, phase(look))
    assert seen == ["deploy_stack"]


def test_a_phase_that_takes_its_time_is_called_again_with_what_it_noted() -> None:
    aws = world()
    seen: list[Any] = []

    def slow(request: Request, given: Aws) -> Result:
        seen.append((dict(request.cursor), request.elapsed_s))
        return Result.in_progress("waiting", poll_after_s=3, cursor={"at": len(seen)})

    assert call(aws, phase(slow))["poll_after_s"] == 3
    call(aws, phase(slow))
    assert [cursor for cursor, _ in seen] == [{}, {"at": 1}]
    assert aws.records.recorded["d-1"]["deploy_stack"].polls == 2


def test_later_phases_see_what_earlier_ones_found() -> None:
    aws = world()
    call(aws, phase(good))
    seen: list[Any] = []

    def look(request: Request, given: Aws) -> Result:
        seen.append(request.results)
        return Result.done("")

    call(aws, phase(look, "release_code"))
    assert seen == [{"deploy_stack": {"version": "7"}}]


def test_a_call_that_comes_twice_is_answered_from_the_record() -> None:
    aws = world()
    call(aws, phase(good))

    def never(request: Request, given: Aws) -> Result:
        raise AssertionError("it ran twice")

    assert call(aws, phase(never))["status"] == "SUCCEEDED"


def test_a_failure_is_recorded_with_code_cause_and_remedy_and_then_raised() -> None:
    aws = world()

    def bad(request: Request, given: Aws) -> Result:
        raise PhaseFailed("the stack is stuck", code="Stuck", remedy="free it", evidence={"stack": "s"})

    with pytest.raises(PhaseFailed):
        call(aws, phase(bad))
    record = aws.records.recorded["d-1"]["deploy_stack"]
    assert record.status is PhaseStatus.FAILED
    assert record.error == {"code": "Stuck", "message": "the stack is stuck", "remedy": "free it"}
    assert record.evidence == {"stack": "s"}


def test_an_error_that_nobody_thought_of_is_recorded_as_ours() -> None:
    aws = world()

    def bad(request: Request, given: Aws) -> Result:
        raise KeyError("x")

    with pytest.raises(KeyError):
        call(aws, phase(bad))
    error = aws.records.recorded["d-1"]["deploy_stack"].error
    assert error is not None
    assert error["code"] == "InternalError"


def test_a_throttled_phase_is_still_running_because_step_functions_tries_again() -> None:
    aws = world()

    def busy(request: Request, given: Aws) -> Result:
        raise Throttled("slow down")

    with pytest.raises(Throttled):
        call(aws, phase(busy))
    assert aws.records.recorded["d-1"]["deploy_stack"].status is PhaseStatus.RUNNING
    assert call(aws, phase(good))["status"] == "SUCCEEDED"


def test_every_call_renews_the_lease() -> None:
    aws = world()
    call(aws, phase(good))
    lock = aws.records.environment("dev").lock
    assert lock == Lock("d-1", "arn:one", (NOW + timedelta(seconds=1)).timestamp() + LEASE_S)


def test_a_deployment_that_lost_its_lock_touches_nothing_more() -> None:
    aws = world()
    aws.records.attributes["dev"]["lock"] = {"deployment_id": "d-9", "execution_arn": "", "lease_until": 0.0}

    def never(request: Request, given: Aws) -> Result:
        raise AssertionError("it ran without the lock")

    with pytest.raises(LockLost):
        call(aws, phase(never))


def settling(aws: FakeAws) -> None:
    """The execution was stopped while a Lambda of it ran; another one ends the deployment."""
    call(aws, phase(good, "roll_back"), execution_arn="arn:settling")


def test_a_lambda_that_outlives_its_execution_has_not_the_last_word() -> None:
    aws = world()

    def slow(request: Request, given: Aws) -> Result:
        settling(aws)
        aws.records.put_phase("d-1", replace(aws.records.recorded["d-1"]["deploy_stack"], status=PhaseStatus.FAILED))
        return Result.done("It is done")

    call(aws, phase(slow))
    assert aws.records.recorded["d-1"]["deploy_stack"].status is PhaseStatus.FAILED
    assert "deploy_stack.succeeded" not in [event["kind"] for event in aws.records.events("d-1")]


@pytest.mark.parametrize("when", ["while it settles", "once it has ended"])
def test_a_lambda_that_outlives_its_execution_moves_no_alias(when: str) -> None:
    aws = world()
    aws.functions.add("f", FunctionConfig("c", 128, 3, {}, "python3.11"), live="1", versions=2)

    def slow(request: Request, given: Aws) -> Result:
        settling(aws)
        if when == "once it has ended":
            aws.records.update_deployment("d-1", {"status": "FAILED"})
            aws.records.release_lock("dev", "d-1")
        given.functions.point("f", Alias("live", "2"))
        return Result.done("moved")

    with pytest.raises(LockLost):
        call(aws, phase(slow, "shift_traffic"))
    assert aws.functions.aliases("f")["live"].version == "1"


def test_an_alias_that_was_touched_between_look_and_move_is_not_moved() -> None:
    """Whoever takes over takes the lock first and touches the alias then: one of the two is always seen."""
    aws = world()
    aws.functions.add("f", FunctionConfig("c", 128, 3, {}, "python3.11"), live="1", versions=2)
    renew = aws.records.renew_lock

    def slow(request: Request, given: Aws) -> Result:
        def renew_and_be_overtaken(name: str, lock: Lock, *, takes_over: bool = False) -> None:
            renew(name, lock)
            aws.functions.point("f", Alias("live", "1"))

        aws.records.renew_lock = renew_and_be_overtaken  # type: ignore[method-assign]
        given.functions.point("f", Alias("live", "2"))
        return Result.done("moved")

    with pytest.raises(Conflict):
        call(aws, phase(slow, "shift_traffic"))
    assert aws.functions.aliases("f")["live"].version == "1"


def test_an_abort_stops_the_next_call_but_not_the_steps_that_end_a_deployment() -> None:
    aws = world()
    aws.records.update_deployment("d-1", {"abort_requested": True})
    with pytest.raises(Aborted):
        call(aws, phase(good))
    assert call(aws, phase(good, "roll_back"))["status"] == "SUCCEEDED"


def test_an_event_with_a_field_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(BadRequest) as refused:
        call(world(), phase(good), surprise=1)
    assert refused.value.field == "surprise"


def fingerprinted(run: Callable[[Request, Aws], Result], value: Callable[[Request], str]) -> ModuleType:
    return phase(run, fingerprint=lambda request, aws: value(request))


def test_the_same_again_is_skipped_and_its_evidence_carried_over() -> None:
    aws = world()
    module = fingerprinted(good, lambda request: "same")
    call(aws, module)
    aws.records.release_lock("dev", "d-1")
    begin(aws, "d-2")
    answer = call(aws, module, deployment_id="d-2")
    record = aws.records.recorded["d-2"]["deploy_stack"]
    assert answer["status"] == "SKIPPED"
    assert record.evidence == {"version": "7"}
    assert "d-1" in record.summary


@pytest.mark.parametrize("why", ["changed", "forced", "another action"])
def test_it_runs_again_when_inputs_changed_when_forced_and_for_other_actions(why: str) -> None:
    aws = world()
    call(aws, fingerprinted(good, lambda request: "one"))
    aws.records.release_lock("dev", "d-1")
    action = Action.REVALIDATE if why == "another action" else Action.DEPLOY
    begin(aws, "d-2", action, force=why == "forced")
    module = fingerprinted(good, lambda request: "two" if why == "changed" else "one")
    assert call(aws, module, deployment_id="d-2", action=action.value)["status"] == "SUCCEEDED"


def test_a_phase_that_dies_half_way_leaves_no_fingerprint_that_lies() -> None:
    aws = world()
    call(aws, fingerprinted(good, lambda request: "one"))
    aws.records.release_lock("dev", "d-1")
    begin(aws, "d-2")

    def dies(request: Request, given: Aws) -> Result:
        raise PhaseFailed("died")

    with pytest.raises(PhaseFailed):
        call(aws, fingerprinted(dies, lambda request: "two"), deployment_id="d-2")
    aws.records.release_lock("dev", "d-2")
    begin(aws, "d-3")
    answer = call(aws, fingerprinted(good, lambda request: "one"), deployment_id="d-3")
    assert answer["status"] == "SUCCEEDED"


def test_the_fingerprint_that_is_kept_is_that_of_the_world_afterwards() -> None:
    aws = world()
    made: list[str] = []

    def make(request: Request, given: Aws) -> Result:
        made.append("thing")
        return Result.done("made")

    call(aws, fingerprinted(make, lambda request: str(made)))
    assert aws.records.environment("dev").applied["deploy_stack"].fingerprint == "['thing']"


def test_a_module_that_wants_the_plan_learns_which_phases_would_be_skipped() -> None:
    aws = world()
    settled = fingerprinted(good, lambda request: "one")
    restless = phase(good, "release_code", fingerprint=lambda request, aws: str(request.now))
    for module in (settled, restless):
        call(aws, module)
    seen: list[Any] = []

    def look(request: Request, given: Aws) -> Result:
        seen.append(request.plan)
        return Result.done("")

    late = replace(aws.records.deployment("d-1"), created_at="later")
    aws.records.started["d-1"] = late
    found = {"deploy_stack": settled, "release_code": restless, "bake": phase(look, "bake", WANTS_PLAN="again")}

    def load(name: str) -> ModuleType:
        return found.get(name, phase(good, name))

    runner.run("bake", EVENT, aws.as_aws(), lambda: NOW + timedelta(hours=1), load)
    assert seen == [{"deploy_stack": True, "release_code": False}]
