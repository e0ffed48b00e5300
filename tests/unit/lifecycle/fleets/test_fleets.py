"""A fleet over the fakes: waves, failures, ways back, aborts, approvals and kills; a repeated call changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chalicelib.domain.codec import encode, encode_record
from chalicelib.domain.errors import BadRequest, Conflict, NotFound
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.fleets.model import MemberStatus, Undoing
from chalicelib.domain.model import Action, DeploymentStatus, PhaseRecord, PhaseStatus, Release
from chalicelib.lifecycle.fleets.answers import abort_fleet, approve_wave
from chalicelib.lifecycle.fleets.member import pause_s
from chalicelib.lifecycle.fleets.settle import settle_fleet
from chalicelib.lifecycle.start import begin
from chalicelib.lifecycle.sweep import sweep

from tests.fakes import settings
from tests.unit.lifecycle.fleets.machine import BAD, EXECUTION, GOOD, Machine, failing

APPROVAL: dict[str, Any] = {"gate": {"approval": "required"}}


def test_the_waves_are_rolled_one_after_the_other_and_each_member_is_on_record() -> None:
    machine = Machine()
    state = machine.run(machine.begin(options={"reason": "a new model"}).id)
    assert state.deployment.status is GOOD
    assert machine.begun() == ["canary", "eu", "us", "rest"]
    assert all(member.status is MemberStatus.SUCCEEDED and member.deployment_id for member in state.members)
    rolled = machine.aws.records.deployment(state.members[0].deployment_id)
    assert (rolled.caller, rolled.options.if_busy) == ("me", "wait")
    assert rolled.options.reason == f"fleet all ({state.deployment.id}) a new model"
    assert not machine.aws.fleets.holders["all"]


def test_null_keeps_its_meaning_in_config_and_options() -> None:
    machine = Machine()
    machine.aws.records.attributes["canary"]["last_good"]["config"] = {"memory_mb": 256, "timeout_s": 60}
    few = {"load": {"rps": 2, "duration_s": 3}, "slo": {"p99_ms": None, "cold_start_ms": None, "error_rate": 0.5}}
    id_ = machine.begin(options=few, config={"timeout_s": None}).id
    machine.run(id_)
    rolled = machine.aws.records.deployment(machine.aws.fleets.state(id_).members[0].deployment_id)
    assert (rolled.options.slo.p99_ms, rolled.options.slo.error_rate) == (None, 0.5)
    assert (rolled.config.timeout_s, rolled.config.memory_mb) == (None, 256)


def test_a_bad_release_stops_in_the_first_wave_and_no_later_wave_is_touched() -> None:
    machine = Machine(ends=failing("canary"))
    state = machine.run(machine.begin().id)
    assert state.deployment.status is BAD
    assert machine.begun() == ["canary"]
    assert [member.status for member in state.members[1:]] == [MemberStatus.PENDING] * 3
    assert (state.deployment.error or {})["code"] == "WaveFailed"


def test_a_failure_in_the_second_wave_takes_all_back_with_deployments_of_their_own() -> None:
    machine = Machine(ends=failing("eu"))
    state = machine.run(machine.begin().id)
    assert state.deployment.status is DeploymentStatus.ROLLED_BACK
    assert {member.environment: member.undone for member in state.members} == {
        "canary": Undoing.DONE, "eu": Undoing.NOT_ASKED, "us": Undoing.DONE, "rest": Undoing.NOT_ASKED,
    }  # fmt: skip
    back = machine.aws.records.deployment(state.members[0].rollback_id)
    assert (back.action, back.environment, back.options.rollback_to) == (Action.ROLLBACK, "canary", None)
    for name in ("canary", "us"):
        assert machine.aws.records.environment(name).last_good == Release(
            "1", f"d-old-{name}", "2026-01-01T00:00:00.000+00:00", "abc", {}, "v1"
        )


def test_keep_leaves_what_has_passed() -> None:
    machine = Machine(ends=failing("eu"))
    state = machine.run(machine.begin(on_failure="keep").id)
    assert state.deployment.status is BAD
    assert all(member.undone is Undoing.NOT_ASKED for member in state.members)


def test_a_member_whose_release_did_not_change_has_nothing_to_take_back() -> None:
    def no_op_in_canary(deployment: Any) -> DeploymentStatus | None:
        if deployment.environment == "canary" and deployment.action is Action.DEPLOY:
            stands = dict(machine.aws.records.attributes["canary"])
            machine.end(deployment, GOOD)
            machine.aws.records.attributes["canary"] = stands | {"lock": None}
            return None
        return failing("eu")(deployment)

    machine = Machine()
    machine.ends = no_op_in_canary
    state = machine.run(machine.begin().id)
    assert state.members[0].undone is Undoing.NOTHING
    assert state.members[0].rollback_summary == "users kept the release that they had"
    assert not state.members[0].rollback_id


def test_what_somebody_released_since_is_left_alone() -> None:
    machine = Machine(ends=failing("eu"))
    id_ = machine.begin().id
    answer = machine.advance(id_)
    machine.map(answer)
    newer = encode_record(Release("7", "d-by-hand", "t", "abc", {}, "v1"))
    machine.aws.records.attributes["canary"] |= {"live": newer, "last_good": newer}
    state = machine.run(id_, next="ROLL", members=answer["members"])
    assert state.members[0].rollback_summary == "deployment d-by-hand has released since"


def test_a_rollback_that_fails_is_named_and_the_whole_has_failed() -> None:
    def ends(deployment: Any) -> DeploymentStatus:
        return BAD if deployment.action is Action.ROLLBACK else failing("eu")(deployment) or GOOD

    machine = Machine(ends=ends)
    state = machine.run(machine.begin().id)
    assert state.deployment.status is BAD
    assert "Could not be rolled back: canary, us" in state.deployment.summary


def test_within_a_wave_no_member_begins_after_one_too_many_has_failed() -> None:
    machine = Machine(ends=failing("canary"))
    id_ = machine.begin(waves=[["canary", "eu"], ["us"]], at_once=1).id
    answer = machine.advance(id_)
    first, second = ({"id": id_, "purpose": "ROLL", **member, "result": {}} for member in answer["members"])
    machine.call(first)
    machine.end_some()
    machine.call(first)
    assert machine.call(second)["status"] == "SUCCEEDED"
    assert machine.begun() == ["canary"]


def test_a_refused_start_fails_the_member_and_says_why() -> None:
    machine = Machine()
    machine.aws.records.attributes["canary"]["status"] = "REMOVED"
    state = machine.run(machine.begin(action="revalidate").id)
    assert state.members[0].summary == "environment canary was removed"
    assert state.deployment.status is BAD


def test_an_abort_stops_what_runs_and_begins_nothing_more() -> None:
    machine = Machine(ends=lambda deployment: GOOD if deployment.environment == "canary" else None)
    id_ = machine.begin().id
    answer = machine.advance(id_)
    machine.map(answer)
    answer = machine.advance(id_, next="ROLL", members=answer["members"])
    items = [{"id": id_, "purpose": "ROLL", **member, "result": {}} for member in answer["members"]]
    machine.call(items[0])
    abort_fleet(machine.aws.fleets.deployment(id_), "you", machine.aws.as_aws(), machine.clock, roll_back=False)
    assert machine.call(items[1])["status"] == "SUCCEEDED"
    state = machine.run(id_)
    assert state.deployment.status is DeploymentStatus.ABORTED
    assert state.deployment.summary.startswith("Aborted by you")
    assert machine.begun() == ["canary", "eu"]
    assert state.members[1].outcome == "ABORTED"
    assert state.members[0].undone is Undoing.NOT_ASKED


def test_an_abort_that_rolls_back_takes_the_others_back() -> None:
    machine = Machine()
    id_ = machine.begin(gate={"soak_s": 3600}).id
    machine.map(machine.advance(id_))
    assert machine.advance(id_)["next"] == "SOAK"
    abort_fleet(machine.aws.fleets.deployment(id_), "you", machine.aws.as_aws(), machine.clock, roll_back=True)
    state = machine.run(id_)
    assert (state.deployment.status, state.members[0].undone) == (DeploymentStatus.ABORTED, Undoing.DONE)


def test_nothing_is_aborted_that_has_ended() -> None:
    machine = Machine()
    id_ = machine.begin().id
    machine.run(id_)
    with pytest.raises(Conflict) as refused:
        abort_fleet(machine.aws.fleets.deployment(id_), "you", machine.aws.as_aws(), machine.clock, roll_back=False)
    assert refused.value.code == "AlreadyEnded"


def test_an_approval_lets_the_next_wave_begin_and_is_on_record() -> None:
    machine = Machine()
    id_ = machine.begin(**APPROVAL).id
    machine.run(id_)
    machine.aws.fleet_executions.waiting.add("token-1")
    machine.advance(id_, token="token-1")
    deployment = machine.aws.fleets.deployment(id_)
    assert deployment.status is DeploymentStatus.WAITING_APPROVAL
    approve_wave(deployment, "boss", machine.aws.as_aws(), machine.clock)
    assert "token-1" in machine.aws.fleet_executions.answered
    state = machine.run(id_)
    assert (state.waves[0].approved_by, state.members[1].status) == ("boss", MemberStatus.SUCCEEDED)
    assert state.deployment.status is DeploymentStatus.RUNNING
    with pytest.raises(Conflict) as refused:
        approve_wave(state.deployment, "boss", machine.aws.as_aws(), machine.clock)
    assert refused.value.code == "NotWaiting"


def test_an_approval_that_nobody_gives_fails_it() -> None:
    machine = Machine()
    id_ = machine.begin(**APPROVAL).id
    machine.run(id_)
    machine.advance(id_, token="token-1")
    machine.now += timedelta(days=1)
    state = machine.run(id_)
    assert (state.deployment.error or {})["code"] == "ApprovalTimeout"
    assert state.members[0].undone is Undoing.DONE


def test_an_alarm_during_the_soak_stops_it() -> None:
    machine = Machine()
    id_ = machine.begin(gate={"soak_s": 60}).id
    machine.map(machine.advance(id_))
    assert machine.advance(id_)["next"] == "SOAK"
    machine.aws.alarms.states["proxyctl/elsewhere/errors"] = "ALARM"
    assert machine.advance(id_)["next"] == "SOAK"
    machine.aws.alarms.states["proxyctl/canary/errors"] = "ALARM"
    state = machine.run(id_)
    assert (state.deployment.error or {})["code"] == "AlarmRang"
    assert "Alarm proxyctl/canary/errors rang after wave 1" in state.deployment.summary
    assert (machine.begun(), state.members[0].undone) == (["canary"], Undoing.DONE)


def test_a_killed_execution_is_settled_to_a_true_end() -> None:
    machine = Machine(ends=lambda deployment: GOOD if deployment.environment == "canary" else None)
    id_ = machine.begin().id
    answer = machine.advance(id_)
    machine.map(answer)
    answer = machine.advance(id_, next="ROLL", members=answer["members"])
    item = {"id": id_, "purpose": "ROLL", **answer["members"][0], "result": {}}
    machine.call(item)
    machine.aws.fleet_executions.end(id_, "ABORTED")
    machine.ends = lambda _: GOOD
    event = {"detail": {"name": id_}}
    assert "settling" in str(sweep(event, machine.aws.as_aws(), machine.clock)[id_])
    (settling,) = [name for name in machine.aws.fleet_executions.started if "-settle-" in name]
    assert machine.aws.fleet_executions.started[settling] == {"id": id_, "settle": "yes"}
    state = machine.run(id_, settle="yes", execution_arn=f"{EXECUTION}{settling}")
    assert state.deployment.status.is_final
    assert (state.deployment.error or {})["code"] == "ExecutionStopped"
    assert not machine.aws.fleets.holders["all"]
    assert machine.begun() == ["canary", "eu"]


def test_the_sweeper_starts_what_lost_its_starter_and_leaves_what_runs() -> None:
    machine = Machine()
    id_ = machine.begin().id
    machine.aws.fleet_executions.started.clear()
    assert "started" in sweep({}, machine.aws.as_aws(), machine.clock)[id_]  # type: ignore[operator]
    machine.advance(id_)
    assert settle_fleet(id_, machine.aws.as_aws(), machine.clock) == ""
    assert settle_fleet("f-unknown", machine.aws.as_aws(), machine.clock) == ""


def test_members_that_step_functions_lost_have_failed_and_nothing_runs_without_end() -> None:
    machine = Machine()
    id_ = machine.begin().id
    answer = machine.advance(id_)
    state_after = machine.advance(id_, next="ROLL", members=answer["members"])
    assert state_after["next"] == "END"
    state = machine.aws.fleets.state(id_)
    assert (state.deployment.status, state.members[0].status) == (BAD, MemberStatus.FAILED)
    assert "Map Run" in state.members[0].summary


def test_every_call_can_be_repeated() -> None:
    machine = Machine()
    id_ = machine.begin().id
    answer = machine.advance(id_)
    assert machine.advance(id_) == answer
    item = {"id": id_, "purpose": "ROLL", **answer["members"][0], "result": {}}
    machine.call(item)
    machine.call(item)
    assert len(machine.aws.records.started) == 1
    machine.end_some()
    assert machine.call(item)["status"] == "SUCCEEDED"
    assert machine.call(item)["status"] == "SUCCEEDED"
    assert machine.aws.fleets.wave(id_, 1).failed == 0
    state = machine.run(id_, next="ROLL", members=answer["members"])
    assert machine.advance(id_)["succeeded"] is True
    assert machine.aws.fleets.state(id_) == state


def test_the_same_key_is_the_same_fleet_deployment_and_another_body_is_refused() -> None:
    machine = Machine()
    first = machine.begin(key="k")
    assert machine.begin(key="k").id == first.id
    with pytest.raises(Conflict) as refused:
        machine.begin(key="k", waves=[["canary"]])
    assert refused.value.code == "IdempotencyKeyReused"


def test_a_fleet_runs_one_deployment_at_a_time_and_names_it() -> None:
    machine = Machine()
    first = machine.begin()
    with pytest.raises(Conflict) as busy:
        machine.begin()
    assert (busy.value.code, busy.value.holder) == ("FleetBusy", first.id)
    assert machine.begin("others").fleet == "others"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"waves": [["canary"], ["stagging"]]}, "waves"),
        ({"waves": [["drill"]], "create": True}, "waves"),
        ({"waves": [["controlplane"]], "create": True}, "waves"),
        ({"config": {"memory_mb": 1}}, "config.memory_mb"),
        ({"config": {"memory": 512}}, "config.memory"),
        ({"options": {"reason": "x" * 1001}}, "options.reason"),
        ({"action": "promote"}, "from"),
        ({"from": "staging"}, "from"),
    ],
)
def test_bad_input_is_named_before_anything_is_recorded(body: dict[str, Any], field: str) -> None:
    machine = Machine()
    with pytest.raises(BadRequest) as refused:
        machine.begin(**body)
    assert refused.value.field == field
    assert not machine.aws.fleets.states


def test_an_unknown_source_is_not_found() -> None:
    machine = Machine()
    with pytest.raises(NotFound):
        machine.begin(action="promote", **{"from": "stagging"})


def test_every_wave_of_a_promotion_rolls_what_had_passed_when_it_began() -> None:
    machine = Machine()
    artifact = ArtifactEvidence(key="artifacts/staging/abc.zip", digest="abc", code_sha256="c2hh", bundle="b.zip")
    records = machine.aws.records
    source = machine.aws.rollouts.begin({"environment": "staging"}, caller="me", key="k")
    machine.end(source, GOOD)
    passed: dict[str, object] = {
        "package_artifact": artifact,
        "prepare_secret": SecretEvidence(arn="arn:s", version_id="v1"),
    }
    for number, (phase, evidence) in enumerate(passed.items(), 1):
        records.put_phase(source.id, PhaseRecord(number, phase, PhaseStatus.SUCCEEDED, evidence=encode(evidence)))
    promoted = machine.begin(action="promote", **{"from": "staging"})
    later = {**records.attributes["staging"]["last_good"], "artifact": "newer", "deployment_id": "d-later"}
    records.attributes["staging"] |= {"live": later, "last_good": later}
    state = machine.run(promoted.id)
    assert state.deployment.status is GOOD
    rolled = [records.deployment(member.deployment_id) for member in state.members]
    assert [deployment.promotion for deployment in rolled] == [promoted.promotion] * 4
    assert promoted.promotion is not None
    assert (promoted.promotion.digest, promoted.promotion.deployment_id) == ("abc", source.id)


def test_a_control_plane_that_is_upgraded_between_waves_rolls_what_the_first_one_got() -> None:
    machine = Machine()
    held = machine.aws.settings.bundle_key
    id_ = machine.begin().id
    answer = machine.advance(id_)
    machine.map(answer)
    machine.aws.settings = settings(bundle_key="bundles/newer.zip")
    state = machine.run(id_, next="ROLL", members=answer["members"])
    assert state.deployment.status is GOOD
    rolled = [machine.aws.records.deployment(member.deployment_id) for member in state.members]
    assert [deployment.bundle for deployment in rolled] == [held] * 4


def test_a_deployment_that_is_resumed_rolls_the_bundle_of_its_fleet() -> None:
    machine = Machine(ends=failing("canary"))
    held = machine.aws.settings.bundle_key
    state = machine.run(machine.begin().id)
    failed = machine.aws.records.deployment(state.members[0].deployment_id)
    machine.aws.settings = settings(bundle_key="bundles/newer.zip")
    body = {"environment": "canary", "action": "deploy"}
    again = begin(body, machine.aws.as_aws(), machine.clock, caller="me", key=None, resumes=failed)
    assert (again.resumes, again.bundle) == (failed.id, held)
    machine.end(again, BAD)
    assert begin(body, machine.aws.as_aws(), machine.clock, caller="me", key=None).bundle == ""


@pytest.mark.parametrize("action", ["revalidate", "rollback"])
def test_what_rolls_no_bundle_pins_none(action: str) -> None:
    machine = Machine(ends=lambda _: BAD)
    state = machine.run(machine.begin(action=action, waves=[["canary"]]).id)
    assert machine.aws.records.deployment(state.members[0].deployment_id).bundle == ""


def test_the_pauses_grow_so_that_two_days_are_few_looks() -> None:
    elapsed, looks = 0, 0
    while elapsed < 180_000:
        elapsed, looks = elapsed + pause_s(looks), looks + 1
    assert looks < 1_700  # of 25,000 events of an execution, ten each
    assert [pause_s(look) for look in range(4)] == [2, 2, 3, 5]


def test_a_record_that_is_gone_fails_the_member() -> None:
    machine = Machine()
    id_ = machine.begin().id
    answer = machine.advance(id_)
    item = {"id": id_, "purpose": "ROLL", **answer["members"][0], "result": {}}
    machine.call(item)
    machine.aws.records.started.clear()
    assert machine.call(item)["status"] == "SUCCEEDED"
    assert "no record any more" in machine.aws.fleets.state(id_).members[0].summary


def test_a_member_goes_back_to_the_version_before_where_that_is_not_the_previous_release() -> None:
    machine = Machine(ends=failing("eu"))
    id_ = machine.begin().id
    answer = machine.advance(id_)
    machine.map(answer)
    machine.aws.records.attributes["canary"]["previous"] = None
    answer = machine.advance(id_, next="ROLL", members=answer["members"])
    machine.map(answer)
    back = machine.advance(id_, next="ROLL", members=answer["members"])
    item = next(member for member in back["members"] if member["environment"] == "canary")
    machine.call({"id": id_, "purpose": back["next"], **item, "result": {}})
    rollback = machine.aws.records.deployment(machine.aws.fleets.member(id_, 1, "canary").rollback_id)
    assert replace(rollback.options, reason="").rollback_to == "1"
