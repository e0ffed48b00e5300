"""A fleet in several accounts and regions: each member stays in its place, and its alarms are read there."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.api.fleets.views import show
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import AccessDenied
from chalicelib.domain.fleets.model import FleetMember, FleetState

from tests.fakes import FakeTarget
from tests.unit.domain.test_targets import BLOCK
from tests.unit.lifecycle.fleets.machine import BAD, GOOD, Machine, failing

THERE = Target(**BLOCK)


def spread(*environments: str) -> Machine:
    """Environments of these names are in the target, all others at home."""
    machine = Machine()
    for name in environments:
        attributes = machine.aws.records.attributes[name]
        for release in ("live", "last_good"):
            attributes[release] = {**attributes[release], "config": {"target": BLOCK}}
        attributes["target"] = BLOCK
    return machine


def there(machine: Machine) -> FakeTarget:
    machine.aws.at(THERE, "test")
    return machine.aws.targets[THERE.place]


def soaking(machine: Machine) -> str:
    """The first wave has passed and soaks; the id."""
    id_ = machine.begin(gate={"soak_s": 60}).id
    machine.map(machine.advance(id_))
    assert machine.advance(id_)["next"] == "SOAK"
    return id_


def test_each_member_has_its_place_on_record() -> None:
    machine = spread("canary", "us")
    state = machine.run(machine.begin().id)
    assert state.deployment.status is GOOD
    assert {member.environment: member.target for member in state.members} == {
        "canary": THERE, "eu": None, "us": THERE, "rest": None,
    }  # fmt: skip
    shown = [member for wave in show(state).waves for member in wave.members]
    assert [(member.account, member.region) for member in shown] == [
        THERE.place,
        (None, None),
        THERE.place,
        (None, None),
    ]


def test_a_new_member_is_where_the_request_says() -> None:
    machine = Machine(ends=failing("canary"))
    del machine.aws.records.attributes["canary"]
    state = machine.run(machine.begin(waves=[["canary"]], create=True, config={"target": BLOCK}).id)
    assert state.members[0].target == THERE


@pytest.mark.parametrize("replaces", [True, False])
def test_settings_for_all_leave_each_member_in_its_place(replaces: bool) -> None:
    machine = spread("canary", "us")
    state = machine.run(machine.begin(replace=replaces, config={"memory_mb": 256}).id)
    assert state.deployment.status is GOOD, state.deployment.summary
    rolled = {member.environment: machine.aws.records.deployment(member.deployment_id) for member in state.members}
    assert {name: deployment.config.target for name, deployment in rolled.items()} == {
        "canary": THERE, "eu": None, "us": THERE, "rest": None,
    }  # fmt: skip
    assert {deployment.config.memory_mb for deployment in rolled.values()} == {256}


def test_a_member_that_exists_elsewhere_does_not_move() -> None:
    machine = Machine()
    state = machine.run(machine.begin(config={"target": BLOCK}).id)
    assert state.deployment.status is BAD
    assert "cannot move" in state.members[0].summary


def test_an_alarm_in_a_members_own_account_stops_the_soak() -> None:
    machine = spread("canary")
    id_ = soaking(machine)
    there(machine).alarms.states["proxyctl/canary/errors"] = "ALARM"
    assert stopped(machine, id_) == ("AlarmRang", f"Alarm proxyctl/canary/errors in {THERE} rang after wave 1")
    assert (THERE, "advance_fleet") in machine.aws.acted_as


def test_alarms_of_the_same_name_elsewhere_do_not_count() -> None:
    """An environment that another control plane has at home, or one of another wave in the target."""
    machine = spread("canary")
    id_ = soaking(machine)
    machine.aws.alarms.states["proxyctl/canary/errors"] = "ALARM"
    there(machine).alarms.states["proxyctl/eu/errors"] = "ALARM"
    assert machine.advance(id_)["next"] == "SOAK"


def test_a_wave_in_two_places_is_watched_in_both() -> None:
    machine = spread("us")
    id_ = machine.begin(waves=[["eu", "us"], ["rest"]], gate={"soak_s": 60}).id
    machine.map(machine.advance(id_))
    machine.aws.alarms.states["proxyctl/eu/errors"] = "ALARM"
    there(machine).alarms.states["proxyctl/us/errors"] = "OK"
    assert stopped(machine, id_)[1] == "Alarm proxyctl/eu/errors rang after wave 1"


def test_alarms_that_cannot_be_read_open_no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = spread("canary")
    id_ = soaking(machine)

    def refuse(prefix: str) -> Any:
        raise AccessDenied("the role cannot be assumed", code="TargetRefused")

    monkeypatch.setattr(there(machine).alarms, "ringing", refuse)
    code, message = stopped(machine, id_)
    assert code == "TargetRefused"
    assert message == f"The alarms of wave 1 in {THERE} cannot be read: the role cannot be assumed"


def stopped(machine: Machine, id_: str) -> tuple[str, str]:
    """Code and message of the stop; nothing of the second wave has begun."""
    state: FleetState = machine.run(id_)
    assert not state.has_begun(2)
    stop = state.deployment.stop
    assert stop is not None
    return stop.code, stop.message


def test_a_record_of_an_earlier_version_is_at_home() -> None:
    stored = {"environment": "canary", "wave": 1, "status": "SUCCEEDED"}
    assert decode_lenient(FleetMember, stored).target is None


def test_a_fleet_at_home_acts_in_no_target() -> None:
    machine = Machine()
    assert machine.run(machine.begin(gate={"soak_s": 1}).id).deployment.status is GOOD
    assert not machine.aws.acted_as
