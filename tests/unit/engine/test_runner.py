"""One call of one phase: guarded, skipped when nothing changed, recorded before it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, cast

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.config import Config
from chalicelib.domain.errors import Aborted, BadRequest, LockLost, PhaseFailed, Throttled
from chalicelib.domain.model import LEASE_S, Action, Deployment, DeploymentStatus, Lock, PhaseRecord, PhaseStatus
from chalicelib.domain.options import Options
from chalicelib.engine import runner
from chalicelib.engine.phase import Definition, Phase, Plan, Request, Result, Status
from chalicelib.ports import Aws

from tests.fakes import FakeAws

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENT = {"deployment_id": "d-1", "environment": "dev", "action": "deploy", "execution_arn": "arn:one"}


class Clock:
    """One second passes with each reading."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(frozen=True)
class Published:
    """The evidence of the phases here."""

    PHASE: ClassVar[str] = "deploy_stack"

    version: str = ""


@dataclass(frozen=True)
class Position:
    """The cursor of the phases here."""

    at: int = 0


Run = Callable[[Request, Aws], Result[Published]]


def phase(
    run: Run, *, fingerprint: Callable[[Request, Aws], str] | None = None, plan: Plan = Plan.NONE
) -> Definition[Published]:
    return Definition(run, Published, Position, fingerprint, plan)


def world(deployment_id: str = "d-1", **options: Any) -> FakeAws:
    return begin(FakeAws(), deployment_id, **options)


def begin(aws: FakeAws, deployment_id: str, action: Action = Action.DEPLOY, **options: Any) -> FakeAws:
    deployment = Deployment(
        deployment_id, "dev", action, DeploymentStatus.RUNNING, Config(), Options(**options), NOW.isoformat()
    )
    aws.records.start(deployment, Lock(deployment_id, "", 0), None, None)
    return aws


def call(aws: FakeAws, phase: Phase, name: str = "deploy_stack", **event: Any) -> dict[str, Any]:
    return runner.run(name, EVENT | event, aws.as_aws(), Clock(), {name: phase}.__getitem__, lambda _seconds: None)


def good(request: Request, aws: Aws) -> Result[Published]:
    return Result.done("It is done", Published("7"))


def test_what_a_phase_did_is_on_record_with_its_times_before_the_answer() -> None:
    aws = world()
    answer = call(aws, phase(good))
    record = aws.records.recorded["d-1"]["deploy_stack"]
    assert answer == {
        "status": "SUCCEEDED",
        "poll_after_s": 0,
        "summary": "It is done",
        "next": "",
        "map": "NONE",
    }
    assert (record.number, record.status, record.evidence) == (4, PhaseStatus.SUCCEEDED, {"version": "7"})
    assert (record.started_at, record.ended_at) == ("2026-01-02T03:04:06.000+00:00", "2026-01-02T03:04:07.000+00:00")
    assert [event["kind"] for event in aws.records.events("d-1")] == ["deploy_stack.started", "deploy_stack.succeeded"]


def test_the_units_of_all_calls_of_a_phase_are_on_its_record() -> None:
    aws = world()
    aws.meter.each = Usage(calls=1, gb_s=0.5, write_units=3)

    def slow(request: Request, ports: Aws) -> Result[Published]:
        return Result.in_progress("waiting", poll_after_s=3, cursor=Position())

    call(aws, phase(slow))
    call(aws, phase(good))
    assert aws.records.recorded["d-1"]["deploy_stack"].usage == Usage(calls=2, gb_s=1.0, write_units=6)
    assert aws.meter.begun == 2


def test_a_call_that_fails_leaves_its_units_too() -> None:
    aws = world()

    def bad(request: Request, ports: Aws) -> Result[Published]:
        raise PhaseFailed("no", code="No", remedy="Yes.")

    with pytest.raises(PhaseFailed):
        call(aws, phase(bad))
    assert aws.records.recorded["d-1"]["deploy_stack"].usage == Usage(calls=1)


def test_the_deployment_shows_the_phase_that_is_running() -> None:
    aws = world()
    phases: list[str | None] = []

    def look(request: Request, ports: Aws) -> Result[Published]:
        phases.append(ports.records.deployment("d-1").current_phase)
        return Result.done("", Published())

    call(aws, phase(look))
    assert phases == ["deploy_stack"]


def test_a_phase_that_takes_its_time_is_called_again_with_what_it_noted() -> None:
    aws = world()
    cursors: list[Position] = []

    def slow(request: Request, ports: Aws) -> Result[Published]:
        cursors.append(request.cursor_as(Position))
        return Result.in_progress("waiting", poll_after_s=3, cursor=Position(len(cursors)))

    assert call(aws, phase(slow))["poll_after_s"] == 3
    call(aws, phase(slow))
    assert cursors == [Position(0), Position(1)]
    assert aws.records.recorded["d-1"]["deploy_stack"].polls == 2


def test_later_phases_read_the_evidence_of_earlier_ones() -> None:
    aws = world()
    call(aws, phase(good))
    evidence: list[Published] = []

    def look(request: Request, ports: Aws) -> Result[Published]:
        evidence.append(request.results.of(Published))
        return Result.done("", Published())

    call(aws, phase(look), "release_code")
    assert evidence == [Published("7")]


@pytest.mark.parametrize(("pinned", "rolled"), [("", "bundles/abc.zip"), ("bundles/older.zip", "bundles/older.zip")])
def test_a_phase_rolls_the_bundle_that_the_deployment_is_pinned_to(pinned: str, rolled: str) -> None:
    aws = world()
    aws.records.started["d-1"] = replace(aws.records.started["d-1"], bundle=pinned)
    keys: list[str] = []

    def look(request: Request, ports: Aws) -> Result[Published]:
        keys.append(request.bundle(ports))
        return Result.done("", Published())

    call(aws, phase(look))
    assert keys == [rolled]


def test_a_call_that_comes_twice_is_answered_from_the_record() -> None:
    aws = world()
    call(aws, phase(good))

    def never(request: Request, ports: Aws) -> Result[Published]:
        raise AssertionError("it ran twice")

    assert call(aws, phase(never))["status"] == "SUCCEEDED"


def test_a_failure_is_recorded_with_code_cause_and_remedy_and_then_raised() -> None:
    aws = world()

    def bad(request: Request, ports: Aws) -> Result[Published]:
        raise PhaseFailed("the stack is stuck", code="Stuck", remedy="free it", evidence={"stack": "s"})

    with pytest.raises(PhaseFailed):
        call(aws, phase(bad))
    record = aws.records.recorded["d-1"]["deploy_stack"]
    assert record.status is PhaseStatus.FAILED
    assert record.error == {"code": "Stuck", "message": "the stack is stuck", "remedy": "free it"}
    assert record.evidence == {"stack": "s"}


def test_an_error_that_nobody_thought_of_is_recorded_as_ours() -> None:
    aws = world()

    def bad(request: Request, ports: Aws) -> Result[Published]:
        raise KeyError("x")

    with pytest.raises(KeyError):
        call(aws, phase(bad))
    error = aws.records.recorded["d-1"]["deploy_stack"].error
    assert error is not None
    assert error["code"] == "InternalError"


def test_a_throttled_phase_is_still_running_because_step_functions_tries_again() -> None:
    aws = world()

    def busy(request: Request, ports: Aws) -> Result[Published]:
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

    def never(request: Request, ports: Aws) -> Result[Published]:
        raise AssertionError("it ran without the lock")

    with pytest.raises(LockLost):
        call(aws, phase(never))


def settling(aws: FakeAws) -> None:
    """The execution was stopped while a Lambda of it ran; another one ends the deployment."""
    call(aws, phase(good), "roll_back", execution_arn="arn:settling")


def test_a_lambda_that_outlives_its_execution_has_not_the_last_word() -> None:
    aws = world()

    def slow(request: Request, ports: Aws) -> Result[Published]:
        settling(aws)
        aws.records.put_phase("d-1", replace(aws.records.recorded["d-1"]["deploy_stack"], status=PhaseStatus.FAILED))
        return Result.done("It is done", Published())

    call(aws, phase(slow))
    assert aws.records.recorded["d-1"]["deploy_stack"].status is PhaseStatus.FAILED
    assert "deploy_stack.succeeded" not in [event["kind"] for event in aws.records.events("d-1")]


@pytest.mark.parametrize("when", ["while it settles", "once it has ended"])
def test_a_lambda_that_outlives_its_execution_moves_no_alias(when: str) -> None:
    aws = world()
    aws.functions.add("f", FunctionConfig("c", 128, 3, {}, "python3.11"), live="1", versions=2)

    def slow(request: Request, ports: Aws) -> Result[Published]:
        settling(aws)
        if when == "once it has ended":
            aws.records.update_deployment("d-1", {"status": "FAILED"})
            aws.records.release_lock("dev", "d-1")
        ports.functions.point("f", Alias("live", "2"))
        return Result.done("moved", Published())

    with pytest.raises(LockLost):
        call(aws, phase(slow), "shift_traffic")
    assert aws.functions.aliases("f")["live"].version == "1"


def test_an_alias_that_was_touched_between_look_and_move_is_not_moved() -> None:
    """Whoever takes over takes the lock first and touches the alias then: one of the two is always seen."""
    aws = world()
    aws.functions.add("f", FunctionConfig("c", 128, 3, {}, "python3.11"), live="1", versions=2)
    renew = aws.records.renew_lock

    def slow(request: Request, ports: Aws) -> Result[Published]:
        def renew_and_be_overtaken(name: str, lock: Lock, *, takes_over: bool = False) -> None:
            renew(name, lock)
            aws.functions.point("f", Alias("live", "1"))

        aws.records.renew_lock = renew_and_be_overtaken  # type: ignore[method-assign]
        ports.functions.point("f", Alias("live", "2"))
        return Result.done("moved", Published())

    with pytest.raises(Throttled):
        call(aws, phase(slow), "shift_traffic")
    assert aws.functions.aliases("f")["live"].version == "1"


def test_an_abort_stops_the_next_call_but_not_the_steps_that_end_a_deployment() -> None:
    aws = world()
    aws.records.update_deployment("d-1", {"abort_requested": True})
    with pytest.raises(Aborted):
        call(aws, phase(good))
    assert call(aws, phase(good), "roll_back")["status"] == "SUCCEEDED"


def test_an_event_with_a_field_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(BadRequest) as refused:
        call(world(), phase(good), surprise=1)
    assert refused.value.field == "surprise"


def fingerprinted(run: Run, value: Callable[[Request], str]) -> Definition[Published]:
    return phase(run, fingerprint=lambda request, aws: value(request))


def test_the_same_again_is_skipped_and_its_evidence_carried_over() -> None:
    aws = world()
    unchanged = fingerprinted(good, lambda request: "same")
    call(aws, unchanged)
    aws.records.release_lock("dev", "d-1")
    begin(aws, "d-2")
    answer = call(aws, unchanged, deployment_id="d-2")
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
    again = fingerprinted(good, lambda request: "two" if why == "changed" else "one")
    assert call(aws, again, deployment_id="d-2", action=action.value)["status"] == "SUCCEEDED"


def test_a_phase_that_dies_half_way_leaves_no_fingerprint_that_lies() -> None:
    aws = world()
    call(aws, fingerprinted(good, lambda request: "one"))
    aws.records.release_lock("dev", "d-1")
    begin(aws, "d-2")

    def dies(request: Request, ports: Aws) -> Result[Published]:
        raise PhaseFailed("died")

    with pytest.raises(PhaseFailed):
        call(aws, fingerprinted(dies, lambda request: "two"), deployment_id="d-2")
    aws.records.release_lock("dev", "d-2")
    begin(aws, "d-3")
    answer = call(aws, fingerprinted(good, lambda request: "one"), deployment_id="d-3")
    assert answer["status"] == "SUCCEEDED"


def test_the_fingerprint_that_is_kept_is_that_of_the_world_afterwards() -> None:
    aws = world()
    resources: list[str] = []

    def create(request: Request, ports: Aws) -> Result[Published]:
        resources.append("thing")
        return Result.done("created", Published())

    call(aws, fingerprinted(create, lambda request: str(resources)))
    assert aws.records.environment("dev").applied["deploy_stack"].fingerprint == "['thing']"


def test_a_phase_that_asks_for_the_plan_learns_which_phases_would_be_skipped() -> None:
    aws = world()
    settled = fingerprinted(good, lambda request: "one")
    restless = phase(good, fingerprint=lambda request, aws: str(request.now))
    call(aws, settled)
    call(aws, restless, "release_code")
    plans: list[Mapping[str, bool]] = []

    def look(request: Request, ports: Aws) -> Result[Published]:
        plans.append(request.plan)
        return Result.done("", Published())

    late = replace(aws.records.deployment("d-1"), created_at="later")
    aws.records.started["d-1"] = late
    phases = {"deploy_stack": settled, "release_code": restless, "bake": phase(look, plan=Plan.AGAIN)}

    def load(name: str) -> Phase:
        return phases.get(name, phase(good))

    runner.run("bake", EVENT, aws.as_aws(), lambda: NOW + timedelta(hours=1), load)
    assert plans == [{"deploy_stack": True, "release_code": False}]


def test_a_phase_that_waits_for_the_same_step_pauses_longer_each_time_and_anew_for_the_next_step() -> None:
    aws = world()

    def slow(step: str) -> Phase:
        return phase(lambda request, ports: request.wait("waiting", step=step))

    pauses = [call(aws, slow(step))["poll_after_s"] for step in ("create", "create", "create", "create", "delete")]
    assert pauses == [1, 1, 2, 3, 1]


def test_evidence_of_a_phase_that_has_not_ended_is_missing_and_the_error_names_the_phase() -> None:
    aws = world()

    def look(request: Request, ports: Aws) -> Result[Published]:
        return Result.done("", request.results.of(Published))

    with pytest.raises(PhaseFailed, match="deploy_stack") as missing:
        call(aws, phase(look), "release_code")
    assert missing.value.code == "EvidenceMissing"


def lose_record(aws: FakeAws) -> None:
    """Someone deletes the record of the environment, and the lock with it."""
    aws.records.attributes.clear()


def noting(locks: list[Lock | None]) -> Definition[Published]:
    """A phase that notes the lock of its environment."""

    def run(request: Request, aws: Aws) -> Result[Published]:
        locks.append(request.environment.lock)
        return good(request, aws)

    return phase(run)


def test_a_phase_does_not_run_without_the_record_of_its_environment() -> None:
    """It would take the deployment for the first one, which users follow unchecked."""
    aws, locks = world(), list[Lock | None]()
    lose_record(aws)
    with pytest.raises(LockLost, match="the record of environment dev was deleted during the deployment"):
        call(aws, noting(locks))
    assert not locks


def test_a_record_that_goes_while_a_phase_runs_is_named_as_the_cause() -> None:
    def run(request: Request, aws: Aws) -> Result[Published]:
        lose_record(cast(FakeAws, aws))
        aws.records.update_environment("dev", {"status": "LIVE"}, holder=request.deployment_id)
        raise AssertionError("the write is refused")

    aws = world()
    with pytest.raises(LockLost, match="the record of environment dev was deleted during the deployment"):
        call(aws, phase(run))
    assert "was deleted during the deployment" in aws.records.recorded["d-1"]["deploy_stack"].summary


def test_a_step_that_ends_a_deployment_rebuilds_a_lost_record_and_takes_the_lock_again() -> None:
    aws, locks = world(), list[Lock | None]()
    lose_record(aws)
    call(aws, noting(locks), "roll_back")
    assert [lock and (lock.deployment_id, lock.execution_arn) for lock in locks] == [("d-1", "arn:one")]
    assert aws.records.environment("dev").recovered_from == "d-1"


def test_a_lost_record_whose_lock_another_deployment_has_by_now_stays_the_others() -> None:
    aws, locks = world(), list[Lock | None]()
    lose_record(aws)
    begin(aws, "d-2")
    call(aws, noting(locks), "roll_back")
    assert [lock and lock.deployment_id for lock in locks] == ["d-2"]


@pytest.mark.parametrize(("other", "refused"), [("2", False), ("3", True)])
def test_an_alias_that_moved_meanwhile_is_decided_on_again_unless_it_is_where_it_should_be(
    other: str, refused: bool
) -> None:
    """Step Functions may deliver a task twice; found by the matrix of faults."""
    aws = world()
    config = FunctionConfig("c", 512, 29, {}, "python3.11")
    aws.functions.add("f", config, live="1", versions=3)
    point = aws.functions.point

    def overtaken(function: str, alias: Alias, *, revision: str = "") -> None:
        point(function, replace(alias, version=other))
        point(function, alias, revision=revision)

    aws.functions.point = overtaken  # type: ignore[method-assign]

    def moves(request: Request, aws: Aws) -> Result[Published]:
        aws.functions.point("f", Alias("candidate", "2"))
        return good(request, aws)

    if refused:
        with pytest.raises(Throttled, match="was moved"):
            call(aws, phase(moves))
        assert aws.records.recorded["d-1"]["deploy_stack"].status is PhaseStatus.RUNNING
    else:
        assert call(aws, phase(moves))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("error", [None, PhaseFailed("x"), Throttled("x"), ValueError("x")])
def test_the_end_of_the_faster_of_two_lambdas_counts(error: Exception | None) -> None:
    """Step Functions may deliver a task twice; found by the matrix of faults."""
    aws = world()

    def slower(request: Request, ports: Aws) -> Result[Published]:
        call(aws, phase(lambda request, aws: Result.done("The faster one", Published("7"))))
        if error:
            raise error
        return Result.done("The slower one", Published("8"))

    answer = call(aws, phase(slower))
    assert (answer["status"], answer["summary"]) == ("SUCCEEDED", "The faster one")
    record = aws.records.recorded["d-1"]["deploy_stack"]
    assert (record.status, record.summary, record.evidence) == (
        PhaseStatus.SUCCEEDED,
        "The faster one",
        {"version": "7"},
    )
    assert [event["kind"] for event in aws.records.noted["d-1"]].count("deploy_stack.succeeded") == 1


def test_a_slower_lambda_stops_polling_once_the_phase_is_done() -> None:
    aws, calls = world(), list[int]()

    def waits(request: Request, ports: Aws) -> Result[Published]:
        calls.append(1)
        if len(calls) == 2:
            call(aws, phase(good))
        return request.wait("Waiting", step="x", cursor=Position(len(calls)))

    assert call(aws, phase(waits))["summary"] == "It is done"
    assert len(calls) == 2


def test_an_error_stays_that_error_when_the_records_cannot_be_read_afterwards() -> None:
    aws = world()

    def fails(request: Request, ports: Aws) -> Result[Published]:
        def unreadable(deployment_id: str) -> Sequence[PhaseRecord]:
            raise Throttled("the table does not answer")

        aws.records.phases = unreadable  # type: ignore[method-assign]
        raise PhaseFailed("the cause")

    with pytest.raises(PhaseFailed, match="the cause"):
        call(aws, phase(fails))


def test_a_result_that_decides_where_to_go_on_names_the_state() -> None:
    answer = call(world(), phase(lambda request, aws: Result(Status.SUCCEEDED, "Looked", next="deploy_stack")))
    assert answer["next"] == "DeployStack"


def test_a_step_of_a_short_wait_is_on_record_before_the_next_one() -> None:
    aws = world()
    records: list[PhaseRecord] = []

    def slow(request: Request, ports: Aws) -> Result[Published]:
        records.append(aws.records.recorded["d-1"]["deploy_stack"])
        position = request.cursor_as(Position)
        if position.at == 2:
            return Result.done("done", Published("7"))
        return request.wait("waiting", step="update", cursor=Position(position.at + 1))

    assert call(aws, phase(slow))["status"] == "SUCCEEDED"
    assert [record.cursor for record in records] == [{}, {"at": 1}, {"at": 2}]
    assert [record.polls for record in records] == [1, 1, 1]


def test_a_short_wait_ends_when_another_execution_has_taken_over() -> None:
    aws = world()

    def slow(request: Request, ports: Aws) -> Result[Published]:
        aws.records.renew_lock("dev", Lock("d-1", "arn:other", 0), takes_over=True)
        return request.wait("waiting", step="update", cursor=Position(1))

    with pytest.raises(LockLost):
        call(aws, phase(slow))


def test_calls_of_a_phase_in_a_target_count_in_the_meter_of_the_process() -> None:
    aws = world()
    role = "arn:aws:iam::210987654321:role/proxyctl-target-eu-west-1"
    config = Config(target=Target(role, "external", "eu-west-1"))
    aws.records.started["d-1"] = replace(aws.records.started["d-1"], config=config)
    aws.meter.each = Usage(calls=1, write_units=3)
    call(aws, phase(good))
    assert aws.acted_as
    assert (aws.meter.begun, aws.records.recorded["d-1"]["deploy_stack"].usage) == (1, Usage(calls=1, write_units=3))
