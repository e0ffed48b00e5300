"""The Lambdas beside the phases, and the API: the world in which each is called, and how AWS, a schedule or a client
delivers its event, once and again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chalicelib.api import control, deployments, secret_versions, secrets
from chalicelib.api.answers import ApiCall, Route, respond
from chalicelib.api.fleets import fleet_deployments
from chalicelib.domain import drills
from chalicelib.domain.fleets.model import MemberStatus
from chalicelib.lifecycle import night
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
from tests.unit.api import test_control as controlled
from tests.unit.api import test_secret_rotation as rotated
from tests.unit.lifecycle import test_abandoned_drills as abandoned
from tests.unit.lifecycle import test_night as nights
from tests.unit.lifecycle import test_publish_events as published
from tests.unit.lifecycle import test_sweep as expired
from tests.unit.lifecycle.fleets.machine import EXECUTION, Machine

Delivery = Callable[[FakeAws, Aws], bool]


@dataclass(frozen=True)
class Errand:
    """deliver: one delivery; answers whether nothing has to be delivered again. deliveries: at most so many.

    may_be_lost: nobody delivers it again, and whoever waits for its result says so.
    """

    world: Callable[[], FakeAws]
    deliver: Delivery
    deliveries: int = 6
    may_be_lost: bool = False


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
