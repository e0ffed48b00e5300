"""The Lambdas beside the phases, and the API: each is delivered again by AWS, a schedule or a client after a fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from chalicelib.api import control, deployments, secret_versions, secrets
from chalicelib.api.answers import ApiCall, Route, respond
from chalicelib.api.fleets import fleet_deployments
from chalicelib.domain import drills
from chalicelib.domain.errors import RolloutError
from chalicelib.domain.fleets.model import MemberStatus
from chalicelib.lifecycle import night
from chalicelib.lifecycle.execution import SETTLE, deployment_of
from chalicelib.lifecycle.fleets.advance import advance_fleet
from chalicelib.lifecycle.fleets.member import roll_member
from chalicelib.lifecycle.publish_events import publish
from chalicelib.lifecycle.sweep import sweep
from chalicelib.load import drive as load_drive
from chalicelib.load import plans
from chalicelib.load.arrivals import Arrivals
from chalicelib.ports import Aws

from tests.fakes import FakeAws
from tests.fakes.calls import ANN, NOW, ask
from tests.faults.injection import FAULTS, Fault, Injector, Killed, struck
from tests.unit.api import test_control as controlled
from tests.unit.api import test_secret_rotation as rotated
from tests.unit.lifecycle import test_abandoned_drills as abandoned
from tests.unit.lifecycle import test_night as nights
from tests.unit.lifecycle import test_publish_events as published
from tests.unit.lifecycle import test_sweep as expired
from tests.unit.lifecycle.fleets.machine import EXECUTION, Machine

State = Mapping[str, Any]
Delivery = Callable[[FakeAws, Aws], bool]
# These belong to an execution of the rollout.
_NOT_HERE = frozenset({"execution stopped", "abort requested"})
ERRAND_FAULTS = {name: fault for name, fault in FAULTS.items() if name not in _NOT_HERE}


@dataclass(frozen=True)
class Errand:
    """deliver: one delivery; answers whether nothing has to be delivered again. deliveries: at most so many.

    may_be_lost: nobody delivers it again, and whoever waits for its result says so.
    """

    world: Callable[[], FakeAws]
    deliver: Delivery
    deliveries: int = 6
    may_be_lost: bool = False


def run(errand: Errand, injector: Injector) -> tuple[FakeAws, list[BaseException]]:
    """All deliveries that it takes, of which the first one meets the fault; the errors that a process ended with."""
    fake = errand.world()
    errors: list[BaseException] = []
    fake.calls_of_the_sweeper = []  # type: ignore[attr-defined]
    injector.moments["twice"] = lambda: _quietly(errand, fake)
    aws = struck(fake, injector)
    for _ in range(errand.deliveries):
        injector.dead = False
        try:
            if errand.deliver(fake, aws):
                break
        except (Exception, Killed) as error:  # noqa: BLE001 - the Lambda ends, and its event is delivered again
            errors.append(error)
    return fake, errors


def _quietly(errand: Errand, fake: FakeAws) -> None:
    """The other delivery: its answer goes to nobody here."""
    errand.deliver(fake, fake.as_aws())


def state_of(fake: FakeAws) -> State:
    """What must be the same whatever happened on the way; what is delivered at least once counts once."""
    records, executions = fake.records, fake.executions
    what = {name: f"{item.action.value} of {item.environment}" for name, item in records.started.items()}
    locks = {name: lock.deployment_id for name in records.attributes if (lock := records.environment(name).lock)}
    events = {(what[name], event["kind"]) for name, events in records.noted.items() for event in events}
    return {
        "deployments": sorted(
            (what[item.id], item.status.value, item.waiting, item.abort_requested) for item in records.started.values()
        ),
        "locks": {name: what[holder] for name, holder in locks.items()},
        "executions": sorted({what[deployment_of(name)] + SETTLE * (SETTLE in name) for name in executions.started}),
        "answered": executions.answered,
        "claims": len(records.claims),
        "events": sorted(events),
        "night": {name: sorted((item.environment, item.verdict.value) for item in checked.values())
                  for name, checked in fake.nights.checked.items()},
        "fleets": {id_: (state.deployment.status.value, [wave.failed for wave in state.waves],
                         [member.status.value for member in state.members])
                   for id_, state in fake.fleets.states.items()},
        "nights": {name: summary.get("good") for name, summary in fake.nights.summaries.items()},
        "secrets": {name: (dict(kept.info.stages), kept.texts) for name, kept in fake.secrets.kept.items()},
        "bus": sorted(set(getattr(getattr(fake, "events", None), "published", []))),
        "webhooks": sorted({sent.url for sent in fake.endpoint.sent} | _to_deliver(fake)),
        "objects": sorted(fake.artifacts.objects),
    }  # fmt: skip


def _to_deliver(fake: FakeAws) -> set[str]:
    """The webhooks that the queue will call again."""
    waiting = (fake.records.deployment(message["deployment_id"]) for message in fake.retries.messages)
    return {deployment.config.webhook.url for deployment in waiting if deployment.config.webhook}


def _api(route: Route, body: Any = None, query: Mapping[str, str] | None = None, **path: str) -> Delivery:
    """A client that repeats its request, with the same Idempotency-Key, while it gets no answer or a 5xx."""

    def deliver(_fake: FakeAws, aws: Aws) -> bool:
        raw = json.dumps(body).encode() if body is not None else b""
        call = ApiCall(path, dict(query or {}), {"idempotency-key": "k-1"}, raw, ANN)
        # A stream of denials ends with the policy mended: 403 is repeated here as well.
        return respond(route, call, aws, lambda: NOW).status not in (403, 404, 500, 502, 503)

    return deliver


def _sweep(after_s: int = 0) -> Delivery:
    """The schedule, every five minutes, whatever came of the call before."""

    def deliver(fake: FakeAws, aws: Aws) -> bool:
        calls = len(fake.calls_of_the_sweeper)  # type: ignore[attr-defined]
        fake.calls_of_the_sweeper.append(calls)  # type: ignore[attr-defined]
        sweep({}, aws, lambda: NOW + timedelta(seconds=after_s + 300 * calls))
        return False

    return deliver


def _started(**options: Any) -> tuple[FakeAws, str]:
    fake = FakeAws()
    body = {"environment": "dev", "options": options}
    return fake, ask(fake, deployments.start, body, key="first").body["id"]


def _stopped() -> FakeAws:
    fake, started = _started()
    fake.records.attributes["dev"]["lock"]["execution_arn"] = fake.executions.start(started, {})
    fake.executions.end(started, "ABORTED")
    return fake


def _never_started() -> FakeAws:
    fake, _ = _started()
    fake.executions.started.clear()
    fake.executions.statuses.clear()
    return fake


def _queued() -> FakeAws:
    fake, started = _started()
    body = {"environment": "dev", "options": {"if_busy": "wait"}}
    ask(fake, deployments.start, body, key="second", now=NOW + timedelta(seconds=1))
    controlled.ends(fake, started)
    return fake


def _interrupted_drill() -> FakeAws:
    fake = FakeAws()
    fake.records.attributes["prod"] = dict(abandoned.TEMPLATE)
    drill = ask(fake, deployments.start, {"environment": "prod", "action": "drill"}, key="drill").body["id"]
    name = drills.ephemeral_environment(drill)
    child = fake.rollouts.begin(
        {"environment": name, "action": "deploy"}, caller="drill", key=drills.key(drill, "deploy")
    )
    fake.records.attributes[name]["lock"]["execution_arn"] = fake.executions.start(child.id, {})
    abandoned.ends(fake, drills.DRILL_RECORD_ENVIRONMENT, drill, "ABORTED")
    return fake


def _night(*names: str) -> FakeAws:
    fake = FakeAws()
    nights.live(fake, *names)
    return fake


def _list(_fake: FakeAws, aws: Aws) -> bool:
    night.list_environments(nights.DUE, aws, lambda: NOW)
    return True


def _revalidate(fake: FakeAws, aws: Aws) -> bool:
    """As the Map does it: called again until the verdict is on record; the revalidation ends in between."""
    event: dict[str, Any] = {"night": nights.NIGHT, "environment": "dev"}
    for _ in range(4):
        answer = night.revalidate_environment(event, aws, lambda: NOW)
        if answer["status"] == "SUCCEEDED":
            return True
        event["result"] = answer
        if not fake.records.deployment(str(answer["deployment_id"])).status.is_final:
            nights.ends(fake, str(answer["deployment_id"]))
    return False


def _checked() -> FakeAws:
    fake = _night("dev")
    nights.listed(fake)
    _revalidate(fake, fake.as_aws())
    return fake


def _summarize(_fake: FakeAws, aws: Aws) -> bool:
    listed = night.Listed(nights.NIGHT, "2026-01-02T03:00:00+00:00", "bucket", f"nightly/{nights.NIGHT}.json", 1)
    event = {"night": listed.night, "began_at": listed.began_at, "bucket": "b", "key": listed.key, "count": 1}
    return bool(night.summarize_night(event, aws, lambda: NOW)["complete"])


def _tell(event: Mapping[str, Any]) -> Delivery:
    def deliver(_fake: FakeAws, aws: Aws) -> bool:
        return not publish(event, aws, lambda: published.NOW)["batchItemFailures"]

    return deliver


def _loading() -> FakeAws:
    fake = FakeAws()
    plan = plans.Plan(
        "http://127.0.0.1:9/health", "GET", b"", Arrivals("constant", 20, 0.1), 0.0, False, (0.0, 0.1),
        limits=plans.Limits(timeout_s=1, give_up_s=0.1),
    )  # fmt: skip
    fake.artifacts.objects[plans.key("d-new")] = plans.dump(plan, 0, plans.prefix("d-new"))
    return fake


def _work(_fake: FakeAws, aws: Aws) -> bool:
    load_drive.run({"deployment_id": "d-new", "worker": 0}, aws)
    return True


def _waiting() -> FakeAws:
    fake, started = _started(approval="required")
    fake.executions.waiting.add("token")
    changes = {"status": "WAITING_APPROVAL", "approval": {"token": "token", "until": "tomorrow"}}
    fake.records.update_deployment(started, changes)
    return fake


def _failed() -> FakeAws:
    fake, started = _started()
    controlled.ends(fake, started, "FAILED")
    return fake


def _fleet() -> FakeAws:
    machine = Machine()
    machine.begin(waves=[["canary"], ["eu"]])
    return machine.aws


def _roll_member(fake: FakeAws, aws: Aws) -> bool:
    (id_,) = fake.fleets.states
    event: dict[str, Any] = {"id": id_, "environment": "canary", "wave": 1, "purpose": "ROLL"}
    for _ in range(5):
        event["result"] = roll_member(event, aws, lambda: NOW)
        if event["result"]["status"] == "SUCCEEDED":
            return True
        Machine.end_all(fake)
    return False


def _advance_fleet(fake: FakeAws, aws: Aws) -> bool:
    """From the beginning to the end, over members that end at once."""
    (id_,) = fake.fleets.states
    event: dict[str, Any] = {"id": id_, "execution_arn": f"{EXECUTION}{id_}"}
    for _ in range(9):
        answer = advance_fleet(event, aws, lambda: NOW)
        if answer["next"] == "END":
            return True
        for member in fake.fleets.states[id_].members:
            if {"environment": member.environment, "wave": member.wave} in answer["members"]:  # type: ignore[operator]
                fake.fleets.update_member(id_, replace(member, status=MemberStatus.SUCCEEDED))
    return False


_ID = _started()[1]
_LISTENING = ("dev", "prod")
ERRANDS: dict[str, Errand] = {
    "ListEnvironments": Errand(lambda: _night("dev", "prod"), _list),
    "RevalidateEnvironment": Errand(lambda: _night("dev"), _revalidate),
    "SummarizeNight": Errand(_checked, _summarize),
    "AdvanceFleet": Errand(_fleet, _advance_fleet),
    "RollMember": Errand(_fleet, _roll_member),
    "Sweep, execution stopped": Errand(_stopped, _sweep()),
    "Sweep, starter died": Errand(_never_started, _sweep(90)),
    "Sweep, queue": Errand(_queued, _sweep()),
    "Sweep, drill interrupted": Errand(_interrupted_drill, _sweep()),
    "Sweep, expired": Errand(expired.world, _sweep()),
    "Tell, stream": Errand(lambda: published.world(*_LISTENING), _tell(published.stream(*_LISTENING))),
    "Tell, queue": Errand(lambda: published.world("dev"), _tell(published.queued("dev"))),
    "LoadWorker": Errand(_loading, _work, deliveries=1, may_be_lost=True),
    "POST /deployments": Errand(FakeAws, _api(deployments.start, {"environment": "dev"})),
    "POST /fleets/…": Errand(
        lambda: Machine().aws, _api(fleet_deployments.start, {"waves": [["canary"], ["eu"]]}, name="all")
    ),
    "POST …/abort": Errand(_waiting, _api(control.abort, id=_ID)),
    "POST …/approve": Errand(_waiting, _api(control.approve, id=_ID)),
    "POST …/resume": Errand(_failed, _api(control.resume, id=_ID)),
    "PUT …/secret": Errand(FakeAws, _api(secrets.put, rotated.WHOLE, name="dev")),
    "PATCH …/secret": Errand(rotated.world, _api(secrets.patch, {"api_key": rotated.NEW_KEY}, name="dev")),
    "PATCH …/secret?now": Errand(
        rotated.world, _api(secrets.patch, {"api_key": rotated.NEW_KEY}, {"now": "true"}, name="dev")
    ),
    "GET …/secret": Errand(rotated.world, _api(secret_versions.show, name="dev")),
}


def broken(name: str, fault_name: str, at: int) -> tuple[Injector, list[str]]:
    """The errand with this fault at its n-th call, and what does not hold afterwards."""
    errand, fault = ERRANDS[name], ERRAND_FAULTS[fault_name]
    calls, whole = without_fault(name)
    injector = Injector(fault, at)
    if fault_name == "deleted underneath" and calls[at].startswith(("records.", "executions.")):
        return injector, []  # a record or a token that is really gone is a fact to act on: tests/unit/lifecycle
    fake, errors = run(errand, injector)
    if not injector.fired:
        return injector, []
    nameless = [error for error in errors if isinstance(error, RolloutError) and not error.message]
    failures = [f"an error says nothing: {error!r}" for error in nameless]
    after = state_of(fake)
    differs = [part for part in whole if after[part] != whole[part] and not _is_reported(errand, fault, part, after)]
    return injector, [*failures, *(f"{part}: {after[part]} instead of {whole[part]}" for part in differs)]


def _is_reported(errand: Errand, fault: Fault, part: str, after: State) -> bool:
    """Whether somebody says what is missing: LoadTest of a lost worker, the night of a check that was refused, the
    record of a fleet's member that could not begin."""
    if errand.may_be_lost:
        return part == "objects"
    refused = any(verdict == "failed" for checked in after["night"].values() for _, verdict in checked)
    failed = any("FAILED" in members for _, _, members in after["fleets"].values())
    return not fault.transient and (refused or failed)


@cache
def without_fault(name: str) -> tuple[tuple[str, ...], State]:
    """The calls of an errand that meets no fault, and the state after it."""
    injector = Injector()
    fake, errors = run(ERRANDS[name], injector)
    assert not errors, f"{name}: {errors!r}"
    return tuple(injector.calls), state_of(fake)
