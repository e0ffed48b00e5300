"""One scene a phase: the world in which its unit tests begin, and the request that they make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.codec import encode_record
from chalicelib.domain.model import Action
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Run
from chalicelib.load import plans
from chalicelib.phases.load_test.cursor import LoadCursor

from tests.fakes import FakeAws
from tests.fakes.requests import environment, release, request
from tests.fakes.standing import stand
from tests.faults import checking
from tests.faults.task import Between
from tests.unit.phases.acquire_lock import test_acquire_lock as acquire_lock
from tests.unit.phases.apply_settings import test_apply_settings as apply_settings
from tests.unit.phases.bake import test_bake as bake
from tests.unit.phases.check_drift import test_check_drift as check_drift
from tests.unit.phases.clean_up import test_clean_up as clean_up
from tests.unit.phases.configure_monitoring import test_configure_monitoring as configure_monitoring
from tests.unit.phases.deploy_stack import test_deploy_stack as deploy_stack
from tests.unit.phases.load_test import test_load_test as load_test
from tests.unit.phases.make_plan import test_make_plan as make_plan
from tests.unit.phases.package_artifact import test_package_artifact as package_artifact
from tests.unit.phases.preflight import test_preflight as preflight
from tests.unit.phases.prepare_secret import test_prepare_secret as prepare_secret
from tests.unit.phases.record_outcome import test_record_outcome as record_outcome
from tests.unit.phases.release_code import test_release_code as release_code
from tests.unit.phases.restore_settings import test_restore_settings as restore_settings
from tests.unit.phases.roll_back import test_roll_back as roll_back
from tests.unit.phases.run_drill import test_run_drill as run_drill
from tests.unit.phases.shift_traffic import test_shift_traffic as shift_traffic
from tests.unit.phases.verify_idempotency import test_verify_idempotency as verify_idempotency
from tests.unit.phases.write_handoff import test_write_handoff as write_handoff


@dataclass(frozen=True)
class Scene:
    """phase: its name in the registry. between: what AWS does between two calls, with the phase's cursor as recorded.

    next_id: who tries again after a failure; "" where the sweeper removes what is left (errands.py). runs: in place of
    the phase's own run, where that also does what passes no port. alone: whether two deliveries at once disturb each
    other, so that one of them may end the phase.
    """

    phase: str
    world: Callable[[], FakeAws]
    ask: Callable[[FakeAws], Request]
    between: Between = lambda _fake, _cursor: None
    next_id: str = "d-next"
    runs: Run[object] | None = None
    alone: bool = False


def _stack_that_changes() -> FakeAws:
    fake = deploy_stack.aws()
    fake.stacks.add(deploy_stack.STACK)
    fake.stacks.answers = [deploy_stack.CHANGED]
    fake.stacks.walks = {"execute": ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]}
    return fake


def _stack_that_is_made() -> FakeAws:
    fake = deploy_stack.aws()
    fake.stacks.answers = [deploy_stack.CHANGED]
    fake.stacks.walks = {"execute": ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]}
    return fake


def _half_shifted() -> FakeAws:
    fake = acquire_lock.world()
    fake.functions.add(roll_back.FUNCTION, roll_back.CONFIG, live="1", versions=2)
    fake.functions.pointed[roll_back.FUNCTION]["live"] = Alias("live", "1", {"2": 0.5})
    return fake


def _removed() -> FakeAws:
    fake = clean_up.aws()
    fake.stack_goes("DELETE_IN_PROGRESS")
    return fake


def _stack_deleted(fake: FakeAws, cursor: Any) -> None:
    if cursor.get("step") == "verifying":
        clean_up.delete_owned(fake)


def _monitored() -> FakeAws:
    fake = stand(configure_monitoring.aws())
    fake.records.attributes["dev"] = roll_back.world().records.attributes["dev"]
    return fake


def _drifted() -> FakeAws:
    fake: FakeAws = check_drift.aws.__wrapped__()  # type: ignore[attr-defined]  # the function behind the fixture
    fake.functions.point(check_drift.NAMES.function, Alias("live", "4"))
    return fake


def _approving() -> FakeAws:
    fake = FakeAws()
    fake.records.attributes["dev"] = {"last_good": encode_record(release("1"))}
    return fake


def _loaded() -> FakeAws:
    fake = load_test.measuring()
    fake.records.attributes["dev"] = {"status": "NEVER_LIVE"}
    return fake


def _workers_ran(fake: FakeAws, _cursor: Any) -> None:
    """The Map of the state machine: each worker has stored its shard."""
    for key in [key for key in fake.artifacts.objects if key.endswith("plan.json")]:
        for worker in range(2):
            fake.artifacts.objects.setdefault(
                plans.shard_key(key.removesuffix("plan.json"), 0, worker), load_test.recorded(10, seed=worker)
            )


def _loading() -> Request:
    loading = load_test.load_request(LoadCursor(), load={"cold_starts": 2, "workers": 2})
    return replace(loading, environment=environment(status="NEVER_LIVE"))


def _child_ended(fake: FakeAws, cursor: Any) -> None:
    """The part of the drill that runs has ended as it must."""
    drill, part, child = run_drill.Drill(), cursor.get("part", "deploy"), cursor.get("child", "")
    if child and not fake.records.deployment(child).status.is_final:
        drill.aws, drill.next = fake, replace(drill.next, cursor=cursor)
        drill.end(part)


def _outcome() -> FakeAws:
    fake = stand(FakeAws())
    fake.records.attributes["dev"] = {"last_good": encode_record(release("2")), "live": encode_record(release("2"))}
    return fake


SCENES: dict[str, Scene] = {
    "acquire_lock": Scene(
        "acquire_lock",
        _half_shifted,
        lambda _: request(environment=environment(last_good=release("1"))),
        next_id="d-new",
    ),
    "preflight": Scene("preflight", preflight.aws, lambda _: request(environment=environment())),
    "prepare_secret": Scene("prepare_secret", lambda: prepare_secret.aws(prepare_secret.GOOD), lambda _: request()),
    "package_artifact": Scene("package_artifact", package_artifact.aws, lambda _: request()),
    "deploy_stack, first": Scene("deploy_stack", _stack_that_is_made, lambda _: deploy_stack.ask()),
    "deploy_stack, change": Scene("deploy_stack", _stack_that_changes, lambda _: deploy_stack.ask()),
    "configure_monitoring": Scene("configure_monitoring", _monitored, lambda _: configure_monitoring.ask(), alone=True),
    "release_code": Scene("release_code", lambda: release_code.aws(versions=1), lambda _: release_code.ask()),
    "make_plan": Scene(
        "make_plan",
        lambda: make_plan.with_stack(make_plan.READY),
        lambda _: make_plan.planning({"deploy_stack": False}),
    ),
    "shift_traffic": Scene("shift_traffic", shift_traffic.world, lambda _: shift_traffic.shift_request()),
    "apply_settings": Scene("apply_settings", apply_settings.world, lambda _: apply_settings.ask()),
    "bake": Scene("bake", lambda: bake.world(errors="OK"), lambda _: bake.bake_request(0)),
    "verify_idempotency": Scene("verify_idempotency", verify_idempotency.world, lambda _: verify_idempotency.proving()),
    "write_handoff": Scene("write_handoff", write_handoff.world, lambda _: write_handoff.handing_over()),
    "check_drift, heal": Scene("check_drift", _drifted, lambda fake: check_drift.ask(fake, heal=True)),
    "validate_endpoints": Scene(
        "validate_endpoints", checking.world, lambda _: checking.ask(), runs=checking.check_endpoints
    ),
    "validate_errors": Scene("validate_errors", checking.world, lambda _: checking.ask(), runs=checking.check_errors),
    "load_test": Scene("load_test", _loaded, lambda _: _loading(), _workers_ran, alone=True),
    "skip_unchanged": Scene("skip_unchanged", _approving, lambda _: request()),
    "await_approval": Scene("await_approval", _approving, lambda _: request()),
    "run_drill": Scene(
        "run_drill", lambda: run_drill.Drill().aws, lambda _: run_drill.Drill().next, _child_ended, next_id=""
    ),
    "record_outcome": Scene(
        "record_outcome",
        _outcome,
        lambda _: request(environment=environment(last_good=release("2")), results=record_outcome.released("2")),
        next_id="d-new",
    ),
    "roll_back": Scene("roll_back", lambda: roll_back.world(live="3"), lambda _: roll_back.failed(), next_id="d-new"),
    "restore_settings": Scene(
        "restore_settings", restore_settings.world, lambda _: restore_settings.ask(), next_id="d-new"
    ),
    "clean_up": Scene(
        "clean_up",
        _removed,
        lambda _: request(action=Action.CLEANUP, options=Options(remove_secret=True, secret_recovery_days=0)),
        _stack_deleted,
    ),
}


def of_the_next(scene: Scene, current: Request) -> Request:
    """The same wish, by the next deployment."""
    return replace(current, deployment_id=scene.next_id, seed=scene.next_id)
