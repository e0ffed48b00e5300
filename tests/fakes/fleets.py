"""`ports.fleets` in memory, with the same conditions as the table's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.codec import decode_lenient, encode
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.fleets.model import (
    Fleet,
    FleetDeployment,
    FleetMember,
    FleetRow,
    FleetState,
    FleetWave,
    MemberStatus,
)
from chalicelib.domain.records import Claim

from .pages import page_of


class FakeFleets:
    def __init__(self) -> None:
        self.states: dict[str, FleetState] = {}
        self.holders: dict[str, str] = {}
        self.claims: dict[str, tuple[str, str]] = {}

    def start(self, state: FleetState, claim: Claim | None) -> None:
        if claim and claim.key in self.claims:
            by, body = self.claims[claim.key]
            raise Conflict("used before", claimed_by=by, body_sha256=body)
        if holder := self.holders.get(state.deployment.fleet):
            raise Conflict("busy", code="FleetBusy", field="name", holder=holder)
        self.states[state.deployment.id] = state
        self.holders[state.deployment.fleet] = state.deployment.id
        if claim:
            self.claims[claim.key] = (state.deployment.id, claim.body_sha256)

    def state(self, id_: str) -> FleetState:
        if id_ not in self.states:
            raise NotFound(f"there is no fleet deployment {id_}", field="id")
        return self.states[id_]

    def deployment(self, id_: str) -> FleetDeployment:
        return self.state(id_).deployment

    def wave(self, id_: str, number: int) -> FleetWave:
        return self.state(id_).waves[number - 1]

    def member(self, id_: str, wave: int, environment: str) -> FleetMember:
        return next(item for item in self.state(id_).of_wave(wave) if item.environment == environment)

    def begin_member(self, id_: str, member: FleetMember) -> bool:
        before = self.member(id_, member.wave, member.environment)
        if before.status is not MemberStatus.PENDING or self.deployment(id_).stop:
            return False
        self.update_member(id_, member)
        return True

    def end_member(self, id_: str, member: FleetMember) -> None:
        if self.member(id_, member.wave, member.environment).status is not MemberStatus.RUNNING:
            return
        self.update_member(id_, member)
        if member.status is MemberStatus.FAILED:
            self.update_wave(id_, member.wave, {"failed": self.wave(id_, member.wave).failed + 1})

    def update_member(self, id_: str, member: FleetMember) -> None:
        state = self.state(id_)
        members = tuple(member if item.environment == member.environment else item for item in state.members)
        self.states[id_] = replace(state, members=members)

    def update_wave(self, id_: str, number: int, changes: Mapping[str, Any]) -> None:
        state = self.state(id_)
        waves = tuple(replace(item, **changes) if item.number == number else item for item in state.waves)
        self.states[id_] = replace(state, waves=waves)

    def update(self, id_: str, changes: Mapping[str, object]) -> None:
        state = self.state(id_)
        if state.deployment.status.is_final:
            raise Conflict("has ended already", code="AlreadyEnded")
        stored = {**encode(state.deployment), "body": dict(state.deployment.body), **changes}
        stored = {name: value for name, value in stored.items() if value is not None}
        self.states[id_] = replace(state, deployment=decode_lenient(FleetDeployment, stored))

    def stop(self, id_: str, stop: Mapping[str, object]) -> None:
        deployment = self.deployment(id_)
        if deployment.status.is_final and not deployment.stop:
            raise Conflict("has ended already", code="AlreadyEnded")
        if not deployment.stop:
            self.update(id_, {"stop": stop})

    def conclude(self, deployment: FleetDeployment, changes: Mapping[str, object]) -> None:
        if self.deployment(deployment.id).status.is_final:
            return
        self.update(deployment.id, changes)
        self.holders[deployment.fleet] = ""

    def fleets(self, limit: int, cursor: str | None) -> tuple[Sequence[Fleet], str | None]:
        return page_of([self._fleet(name) for name in sorted(self.holders, reverse=True)], limit, cursor)

    def fleet(self, name: str) -> Fleet | None:
        return self._fleet(name) if name in self.holders else None

    def _fleet(self, name: str) -> Fleet:
        of_fleet = [state.deployment for state in self.states.values() if state.deployment.fleet == name]
        last = max(of_fleet, key=lambda item: item.created_at)
        return Fleet(name, self.holders[name], last.id, last.created_at)

    def rows(self, fleet: str, limit: int, cursor: str | None) -> tuple[Sequence[FleetRow], str | None]:
        listed = [state.deployment for state in self.states.values() if state.deployment.fleet == fleet]
        rows = [FleetRow(id=item.id, status=item.status.value, created_at=item.created_at) for item in listed]
        return page_of(sorted(rows, key=lambda row: row.created_at, reverse=True), limit, cursor)

    def running(self) -> Sequence[str]:
        return [id_ for id_, state in self.states.items() if not state.deployment.status.is_final]
