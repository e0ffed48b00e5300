"""DynamoDB behind `ports.records`: one table, conditional writes, strongly consistent reads.

Keys (design §3): `DEPLOYMENT#<id>` with META, LISTED, PHASE#nn#name, EVENT#time; `ENVIRONMENT#<name>` with META, LOCK,
LISTED, HISTORY#time, LINE#time#id (one for each deployment that waits); `CLAIM#<key>` with META. Three indices list
what is LISTED by time: `by_all`, `by_environment` and `by_status`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.domain.errors import Aborted, AwsCallFailed, Conflict, LockLost, NotFound
from chalicelib.domain.model import (
    Applied,
    Deployment,
    DeploymentStatus,
    Environment,
    EnvironmentPage,
    Lock,
    Page,
    PhaseRecord,
)
from chalicelib.domain.records import Claim, Ending, Incident

from . import expiry, incidents, items, listing, locks, transactions, writes
from .keys import claim_key, deployment_key, environment_key, key_of
from .table import Table

_READ_AHEAD = 50  # environments that are read at a time: each has two items, and one call reads 100
# What the four DORA figures and the costs of rollouts are computed from.
_FIGURED = ("at", "requested_at", "action", "outcome", "changed", "users_saw_it", "usd")


class DynamoRecords:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._rows = Table(table)

    def start(self, deployment: Deployment, lock: Lock, claim: Claim | None, takes_over: Lock | None) -> None:
        if writes.transaction(transactions.start(self._table, deployment, lock, claim, takes_over)):
            raise self._refusal(deployment, claim)

    def enqueue(self, deployment: Deployment, claim: Claim | None) -> None:
        if writes.transaction(transactions.enqueue(self._table, deployment, claim)):
            raise self._refusal(deployment, claim)

    def claimed(self, key: str) -> Claim | None:
        item = self._rows.get(claim_key(Claim(key, "")))
        return Claim(key, str(item["body_sha256"])) if item else None

    def claim(self, claim: Claim, subject: str, at: str) -> None:
        if writes.transaction([transactions.claim_write(self._table, claim, subject, at)]):
            raise Conflict("this Idempotency-Key was used before", code="IdempotencyKeyUsed", claimed_by=subject)

    def end(self, deployment: Deployment, ending: Ending) -> None:
        name = deployment.environment
        refused = self._as_holder(
            name, deployment.id, transactions.end(self._table, deployment, ending, keeps_lock=False)
        )
        if 0 in refused:
            raise self._ended_otherwise(deployment)
        if refused:
            raise _lock_lost(name, deployment.id)

    def _as_holder(self, name: str, holder: str, changes: list[dict[str, Any]]) -> set[int]:
        """A transaction that is conditioned on the lock's item, which records of earlier versions lack at first."""
        refused = writes.transaction(changes)
        if not refused:
            return refused
        stored = self._environment(name)
        adoption = locks.adoption(self._table, name, stored.get("META", {}), stored.get("LOCK", {}), holder)
        if not adoption:
            return refused
        writes.transaction(adoption)  # refused only when somebody else was faster: then the next one tells
        return writes.transaction(changes)

    def end_without(self, deployment: Deployment, ending: Ending) -> None:
        if writes.transaction(transactions.end(self._table, deployment, ending, keeps_lock=True)):
            raise self._ended_otherwise(deployment)

    def _ended_otherwise(self, deployment: Deployment) -> Aborted | Conflict:
        if self.deployment(deployment.id).status.is_final:
            return _ended(deployment.id)
        return Aborted(f"deployment {deployment.id} was asked to stop before its end was on record")

    def _refusal(self, deployment: Deployment, claim: Claim | None) -> Conflict:
        if claim and (claimed := self._rows.get(claim_key(claim))):
            return transactions.key_used(claimed)
        held = self.environment(deployment.environment).lock
        holder = held.deployment_id if held else "another deployment that has just ended"
        return Conflict(
            f"environment {deployment.environment} is busy with deployment {holder}",
            code="EnvironmentBusy",
            field="environment",
            remedy="Wait until it ends, or abort it; then send the request again.",
            holder=held.deployment_id if held else "",
        )

    def deployment(self, deployment_id: str) -> Deployment:
        item = self._rows.get(deployment_key(deployment_id))
        if not item:
            raise NotFound(
                f"there is no deployment {deployment_id}",
                field="id",
                remedy="GET /deployments lists those that exist.",
            )
        return items.to_deployment(item)

    def deployments(
        self, environment: str | None, status: DeploymentStatus | None, limit: int, cursor: str | None
    ) -> Page:
        entries, following = listing.deployments(self._table, environment, status, limit, cursor)
        return Page([items.to_deployment(item) for item in entries], following)

    def next_in_line(self, environment: str) -> Deployment | None:
        first = self._rows.under(f"ENVIRONMENT#{environment}", "LINE#", limit=1)
        return self.deployment(str(first[0]["deployment_id"])) if first else None

    def take_turn(self, deployment: Deployment, lock: Lock) -> None:
        if writes.transaction(transactions.take_turn(self._table, deployment, lock)):
            raise Conflict(f"environment {deployment.environment} is busy", code="EnvironmentBusy")

    def leave_line(self, deployment: Deployment, changes: Mapping[str, Any]) -> None:
        if writes.transaction(transactions.leave_line(self._table, deployment, changes)):
            raise Conflict(f"deployment {deployment.id} no longer waits", code="NotWaiting", field="id")

    def update_deployment(self, deployment_id: str, changes: Mapping[str, Any]) -> None:
        if writes.transaction(transactions.update(self._table, deployment_id, changes)):
            raise _ended(deployment_id)

    def phases(self, deployment_id: str) -> Sequence[PhaseRecord]:
        entries = self._rows.under(f"DEPLOYMENT#{deployment_id}", "PHASE#")
        return [items.to_phase(item) for item in entries]

    def put_phase(self, deployment_id: str, phase: PhaseRecord) -> None:
        self._rows.put(deployment_key(deployment_id, transactions.phase_sk(phase)), transactions.phase_item(phase))

    def put_phase_as(self, name: str, lock: Lock, phase: PhaseRecord) -> None:
        refused = self._as_holder(name, lock.deployment_id, transactions.phase(self._table, name, lock, phase))
        if 0 in refused:
            raise _lock_lost(name, lock.deployment_id)
        if refused:
            raise Conflict(f"{phase.name} of {lock.deployment_id} is done; its record stays as it is", code="PhaseDone")

    def skip_phases_as(self, name: str, lock: Lock, phases: Sequence[PhaseRecord]) -> None:
        if self._as_holder(name, lock.deployment_id, transactions.skipped(self._table, name, lock, phases)):
            raise _lock_lost(name, lock.deployment_id)

    def add_event(self, deployment_id: str, at: str, kind: str, detail: Mapping[str, Any]) -> None:
        self._rows.add(
            f"DEPLOYMENT#{deployment_id}",
            f"EVENT#{at}#{kind}",
            {"at": at, "kind": kind, "detail": dict(detail), **expiry.after(at)},
        )

    def event(self, deployment_id: str, key: str) -> Mapping[str, Any]:
        item = self._rows.get(deployment_key(deployment_id, key))
        if not item:
            raise NotFound(f"deployment {deployment_id} has no event {key}")
        return items.visible(item)

    def events(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        entries = self._rows.under(f"DEPLOYMENT#{deployment_id}", "EVENT#")
        return [items.visible(item) for item in entries]

    def environment(self, name: str) -> Environment:
        stored = self._environment(name)
        return _with_lock(name, stored["META"], stored.get("LOCK", {})) if "META" in stored else Environment(name)

    def _environment(self, name: str) -> dict[str, dict[str, Any]]:
        """Its record and its lock's item, by sort key."""
        return self._rows.between(f"ENVIRONMENT#{name}", "LOCK", "META")

    def environments(self) -> Iterator[Environment]:
        page = self.environment_page(_READ_AHEAD, None)
        yield from page.environments
        while page.cursor:
            page = self.environment_page(_READ_AHEAD, page.cursor)
            yield from page.environments

    def environment_page(self, limit: int, cursor: str | None) -> EnvironmentPage:
        entries, following = listing.environments(self._table, limit, cursor)
        return EnvironmentPage([_with_lock(*stored) for stored in entries], following)

    def environment_names(self) -> Sequence[str]:
        return listing.environment_names(self._table)

    def update_environment(self, name: str, changes: Mapping[str, Any], *, holder: str | None = None) -> None:
        expression, names, values = items.update_of(changes)
        self._update_environment(name, expression, names, values, holder)

    def _update_environment(
        self,
        name: str,
        expression: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
        holder: str | None,
    ) -> None:
        arguments: dict[str, Any] = {"UpdateExpression": expression}
        if holder:
            names = {**names, "#lock": "lock"}
            values = {**values, ":holder": {"S": holder}}
            arguments["ConditionExpression"] = "#lock.deployment_id = :holder"
        if values:
            arguments["ExpressionAttributeValues"] = values
        if names:
            arguments["ExpressionAttributeNames"] = names
        self._write_environment(name, str(holder), arguments)

    def _write_environment(self, name: str, holder: str, arguments: Mapping[str, Any]) -> None:
        try:
            writes.item("update_item", TableName=self._table, Key=environment_key(name), **arguments)
        except AwsCallFailed as error:
            if not _is_refused(error):
                raise
            raise _lock_lost(name, holder) from error

    def set_applied(self, name: str, phase: str, applied: Applied | None, *, holder: str) -> None:
        # One attribute a phase: an update of one never rewrites what another phase applied.
        names = {"#applied": f"applied_{phase}"}
        if applied:
            values = items.write({":applied": items.of_applied(applied)})
            self._update_environment(name, "SET #applied = :applied", names, values, holder)
        else:
            self._update_environment(name, "REMOVE #applied", names, {}, holder)

    def renew_lock(self, name: str, lock: Lock, *, takes_over: bool = False) -> None:
        refused = self._as_holder(name, lock.deployment_id, [locks.renewal(self._table, name, lock)])
        if refused and takes_over:
            refused = writes.transaction(locks.takeover(self._table, name, lock))
        if refused:
            raise _lock_lost(name, lock.deployment_id)

    def take_lock_again(self, name: str, lock: Lock) -> None:
        writes.transaction(locks.retaking(self._table, name, lock))  # refused: another one was faster

    def release_lock(self, name: str, holder: str) -> None:
        writes.transaction(transactions.release(self._table, name, holder))  # refused: another one, or none, holds it

    def add_history(self, name: str, at: str, entry: Mapping[str, Any]) -> None:
        key = key_of(f"ENVIRONMENT#{name}", f"HISTORY#{at}")
        writes.item("put_item", TableName=self._table, Item=key | items.write({**entry, "at": at, **expiry.after(at)}))

    def history(self, name: str, limit: int) -> Sequence[Mapping[str, Any]]:
        entries = self._rows.under(f"ENVIRONMENT#{name}", "HISTORY#", newest_first=True, limit=limit)
        return [items.visible(item) for item in entries]

    def history_page(self, name: str, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        entries, following = self._rows.page(f"ENVIRONMENT#{name}", "HISTORY#", limit, cursor)
        return [items.visible(item) for item in entries], following

    def history_between(self, name: str, first: str, last: str, limit: int) -> Sequence[Mapping[str, Any]]:
        pk, until = f"ENVIRONMENT#{name}", last or "~"
        entries = self._rows.under(pk, "HISTORY#", since=first, until=until, newest_first=True, limit=limit)
        return [items.visible(item) for item in entries]

    def record_incident(self, name: str, incident: Incident) -> None:
        incidents.record(self._table, name, incident)

    def incident_page(self, name: str, limit: int, cursor: str | None) -> tuple[Sequence[Incident], str | None]:
        return incidents.page(self._rows, name, limit, cursor)

    def incident(self, name: str, opened_by: str) -> Incident | None:
        return incidents.opened_by(self._rows, name, opened_by)

    def history_since(self, name: str, at: str) -> Sequence[Mapping[str, Any]]:
        entries = self._rows.under(f"ENVIRONMENT#{name}", "HISTORY#", since=at, newest_first=True, only=_FIGURED)
        return [items.visible(item) for item in entries]


def _with_lock(name: str, record: Mapping[str, Any], lock: Mapping[str, Any]) -> Environment:
    return items.to_environment(name, {**record, "lock": locks.current(record, lock)})


def _ended(deployment_id: str) -> Conflict:
    return Conflict(f"deployment {deployment_id} has ended already; its record stays as it is")


def _lock_lost(name: str, holder: str) -> LockLost:
    return LockLost(
        f"deployment {holder} no longer holds environment {name}",
        remedy=f"See GET /environments/{name} for the deployment that does.",
    )


def _is_refused(error: AwsCallFailed) -> bool:
    return error.aws_code == "ConditionalCheckFailedException"
