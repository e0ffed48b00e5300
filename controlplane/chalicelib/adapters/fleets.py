"""DynamoDB behind `ports.fleets`.

Keys: `FLEETDEPLOYMENT#<id>` with META, WAVE#nn and MEMBER#nn#environment; `FLEET#<name>` with DEPLOYMENT#time#id, a row
of its list; `FLEETS` with FLEET#name (which deployment holds it) and RUNNING#id (what the sweeper looks at).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
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

from . import expiry, items, writes
from .keys import claim_key, key_of
from .table import Table
from .transactions import FINALS, NOT_FINAL, claim_write, key_used

_FLEETS = "FLEETS"
_TRANSACTION = 100  # writes


class DynamoFleets:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._rows = Table(table)

    def start(self, state: FleetState, claim: Claim | None) -> None:
        deployment = state.deployment
        if claim and (earlier := self._rows.get(claim_key(claim))):
            raise key_used(earlier)
        ends = expiry.after(deployment.created_at)
        parts = [*map(_wave_entry, state.waves), *map(_member_entry, state.members)]
        for first in range(0, len(parts), _TRANSACTION):
            puts = [
                self._put(_pk(deployment.id), sk, {**entry, **ends}, new=True)
                for sk, entry in parts[first : first + _TRANSACTION]
            ]
            writes.transaction(puts)  # refused: an earlier call with the same key wrote them, all or none
        refused = writes.transaction(self._first_writes(deployment, claim, ends))
        if refused:
            raise self._refusal(deployment, claim)

    def _first_writes(
        self, deployment: FleetDeployment, claim: Claim | None, ends: dict[str, int]
    ) -> list[dict[str, Any]]:
        row = dataclasses.asdict(_row(deployment))
        fleet = {
            "TableName": self._table,
            "Key": key_of(_FLEETS, f"FLEET#{deployment.fleet}"),
            "UpdateExpression": "SET running = :id, last_deployment = :id, updated_at = :at, #name = :name",
            "ConditionExpression": "attribute_not_exists(running) OR running = :nobody",
            "ExpressionAttributeNames": {"#name": "name"},
            "ExpressionAttributeValues": items.write(
                {":id": deployment.id, ":at": deployment.created_at, ":name": deployment.fleet, ":nobody": ""}
            ),
        }
        return [
            self._put(_pk(deployment.id), "META", _meta_entry(deployment) | ends, new=True),
            {"Update": fleet},
            self._put(f"FLEET#{deployment.fleet}", _row_sk(deployment), row | ends),
            self._put(_FLEETS, f"RUNNING#{deployment.id}", {"id": deployment.id, **ends}),
            *([claim_write(self._table, claim, deployment.id, deployment.created_at)] if claim else []),
        ]

    def _put(self, pk: str, sk: str, entry: Mapping[str, Any], *, new: bool = False) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": key_of(pk, sk) | items.write(entry)}
        return {"Put": put | ({"ConditionExpression": "attribute_not_exists(pk)"} if new else {})}

    def _refusal(self, deployment: FleetDeployment, claim: Claim | None) -> Conflict:
        if claim and (earlier := self._rows.get(claim_key(claim))):
            return key_used(earlier)
        fleet = self.fleet(deployment.fleet)
        holder = fleet.running if fleet else ""
        return Conflict(
            f"fleet {deployment.fleet} is busy with {holder or 'a deployment that has just ended'}",
            code="FleetBusy",
            field="name",
            remedy="Wait until it ends, or abort it; then send the request again.",
            holder=holder,
        )

    def state(self, id_: str) -> FleetState:
        entries = self._rows.between(_pk(id_), "MEMBER", "WAVE~")  # META lies between both
        by_kind: dict[str, list[dict[str, Any]]] = {"META": [], "WAVE": [], "MEMBER": []}
        for sk, entry in entries.items():
            by_kind[sk.partition("#")[0]].append(items.visible(entry))
        if not by_kind["META"]:
            raise _unknown(id_)
        return FleetState(
            decode_lenient(FleetDeployment, by_kind["META"][0]),
            tuple(decode_lenient(FleetWave, entry) for entry in by_kind["WAVE"]),
            tuple(decode_lenient(FleetMember, entry) for entry in by_kind["MEMBER"]),
        )

    def deployment(self, id_: str) -> FleetDeployment:
        return decode_lenient(FleetDeployment, self._entry(id_, "META"))

    def wave(self, id_: str, number: int) -> FleetWave:
        return decode_lenient(FleetWave, self._entry(id_, _wave_sk(number)))

    def member(self, id_: str, wave: int, environment: str) -> FleetMember:
        return decode_lenient(FleetMember, self._entry(id_, _member_sk(wave, environment)))

    def _entry(self, id_: str, sk: str) -> dict[str, Any]:
        entry = self._rows.get(key_of(_pk(id_), sk))
        if entry is None:
            raise _unknown(id_)
        return items.visible(entry)

    def begin_member(self, id_: str, member: FleetMember) -> bool:
        begins = self._member_update(id_, member, MemberStatus.PENDING)
        still_goes_on = {
            "TableName": self._table,
            "Key": key_of(_pk(id_), "META"),
            "UpdateExpression": "SET id = :id",  # changes nothing: its condition is what counts
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(#stop)",
            "ExpressionAttributeNames": {"#stop": "stop"},
            "ExpressionAttributeValues": items.write({":id": id_}),
        }
        return not writes.transaction([begins, {"Update": still_goes_on}])

    def end_member(self, id_: str, member: FleetMember) -> None:
        ends = self._member_update(id_, member, MemberStatus.RUNNING)
        counts = {
            "TableName": self._table,
            "Key": key_of(_pk(id_), _wave_sk(member.wave)),
            "UpdateExpression": "ADD failed :one",
            "ExpressionAttributeValues": items.write({":one": 1}),
        }
        failed = member.status is MemberStatus.FAILED
        writes.transaction([ends, *([{"Update": counts}] if failed else [])])  # refused: it has ended before

    def _member_update(self, id_: str, member: FleetMember, before: MemberStatus) -> dict[str, Any]:
        key = key_of(_pk(id_), _member_sk(member.wave, member.environment))
        return self._update(key, encode(member), "#status = :before", {":before": before.value})

    def update_member(self, id_: str, member: FleetMember) -> None:
        self._change(_pk(id_), _member_sk(member.wave, member.environment), encode(member))

    def update_wave(self, id_: str, number: int, changes: Mapping[str, object]) -> None:
        self._change(_pk(id_), _wave_sk(number), changes)

    def _change(self, pk: str, sk: str, changes: Mapping[str, object]) -> None:
        expression, names, values = items.update_of(changes)
        writes.item(
            "update_item",
            TableName=self._table,
            Key=key_of(pk, sk),
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    def update(self, id_: str, changes: Mapping[str, object]) -> None:
        if writes.transaction([self._meta_update(id_, changes)]):
            raise Conflict(f"fleet deployment {id_} has ended already", code="AlreadyEnded", field="id")

    def stop(self, id_: str, stop: Mapping[str, object]) -> None:
        changes = self._meta_update(id_, {"stop": stop})
        changes["Update"]["ConditionExpression"] += " AND attribute_not_exists(#c0)"
        if writes.transaction([changes]) and not self.deployment(id_).stop:
            raise Conflict(f"fleet deployment {id_} has ended already", code="AlreadyEnded", field="id")

    def _meta_update(self, id_: str, changes: Mapping[str, object]) -> dict[str, Any]:
        return self._update(key_of(_pk(id_), "META"), changes, NOT_FINAL, FINALS)

    def _update(
        self, key: Mapping[str, Any], changes: Mapping[str, object], condition: str, compared: Mapping[str, object]
    ) -> dict[str, Any]:
        """A write of a transaction. condition: on `#status`, with the values of `compared`."""
        expression, names, values = items.update_of(changes)
        return {
            "Update": {
                "TableName": self._table,
                "Key": key,
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names | {"#status": "status"},
                "ExpressionAttributeValues": values | items.write(compared),
            }
        }

    def conclude(self, deployment: FleetDeployment, changes: Mapping[str, object]) -> None:
        row = dataclasses.asdict(_row(deployment)) | {name: changes[name] for name in ("status", "summary", "ended_at")}
        release = {
            "TableName": self._table,
            "Key": key_of(_FLEETS, f"FLEET#{deployment.fleet}"),
            "UpdateExpression": "SET running = :nobody, updated_at = :at",
            "ConditionExpression": "running = :id",
            "ExpressionAttributeValues": items.write({":id": deployment.id, ":at": changes["ended_at"], ":nobody": ""}),
        }
        running = {"TableName": self._table, "Key": key_of(_FLEETS, f"RUNNING#{deployment.id}")}
        writes.transaction(
            [
                self._meta_update(deployment.id, changes),
                {"Update": release},
                self._put(f"FLEET#{deployment.fleet}", _row_sk(deployment), row | expiry.after(deployment.created_at)),
                {"Delete": running},
            ]
        )  # refused: an earlier call has ended it

    def fleets(self, limit: int, cursor: str | None) -> tuple[Sequence[Fleet], str | None]:
        entries, following = self._rows.page(_FLEETS, "FLEET#", limit, cursor)
        return [decode_lenient(Fleet, items.visible(entry)) for entry in entries], following

    def fleet(self, name: str) -> Fleet | None:
        entry = self._rows.get(key_of(_FLEETS, f"FLEET#{name}"))
        return decode_lenient(Fleet, items.visible(entry)) if entry else None

    def rows(self, fleet: str, limit: int, cursor: str | None) -> tuple[Sequence[FleetRow], str | None]:
        entries, following = self._rows.page(f"FLEET#{fleet}", "DEPLOYMENT#", limit, cursor)
        return [decode_lenient(FleetRow, items.visible(entry)) for entry in entries], following

    def running(self) -> Sequence[str]:
        return [str(entry["id"]) for entry in self._rows.under(_FLEETS, "RUNNING#")]


def _pk(id_: str) -> str:
    return f"FLEETDEPLOYMENT#{id_}"


def _wave_sk(number: int) -> str:
    return f"WAVE#{number:02}"


def _member_sk(wave: int, environment: str) -> str:
    return f"MEMBER#{wave:02}#{environment}"


def _meta_entry(deployment: FleetDeployment) -> dict[str, object]:
    # null in `config` resets a field, and in `options` it says that a rule is off: it stays.
    return encode(deployment) | {"body": dict(deployment.body)}


def _wave_entry(wave: FleetWave) -> tuple[str, dict[str, object]]:
    return _wave_sk(wave.number), encode(wave)


def _member_entry(member: FleetMember) -> tuple[str, dict[str, object]]:
    return _member_sk(member.wave, member.environment), encode(member)


def _row_sk(deployment: FleetDeployment) -> str:
    return f"DEPLOYMENT#{deployment.created_at}#{deployment.id}"


def _row(deployment: FleetDeployment) -> FleetRow:
    return FleetRow(
        id=deployment.id,
        status=deployment.status.value,
        action=deployment.action.value,
        created_at=deployment.created_at,
        ended_at=deployment.ended_at or "",
        waves=deployment.waves,
        members=deployment.members,
        summary=deployment.summary,
        caller=deployment.caller,
    )


def _unknown(id_: str) -> NotFound:
    return NotFound(
        f"there is no fleet deployment {id_}",
        field="id",
        remedy="GET /fleets/{name}/deployments lists those that exist.",
    )
