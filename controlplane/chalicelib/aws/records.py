"""DynamoDB behind `ports.records`: one table, conditional writes, strongly consistent reads.

Keys (design §3): `DEPLOYMENT#<id>` with META, PHASE#nn#name, EVENT#time; `ENVIRONMENT#<name>` with META, HISTORY#time,
LINE#time#id (one for each deployment that waits); `CLAIM#<key>` with META. Two indices list by time: `by_all`, and
`by_environment`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ..core.model import Applied, Deployment, DeploymentStatus, Environment, Lock, PhaseRecord
from ..errors import AwsCallFailed, BadRequest, Conflict, LockLost, NotFound
from ..ports.records import Claim, Page
from . import items, transactions
from .session import call, client, pages, translated
from .table import Table, plain
from .transactions import claim_key, deployment_key, environment_key

# What the four DORA figures are computed from.
_FIGURED = ("at", "requested_at", "action", "outcome", "changed", "users_saw_it")


class DynamoRecords:
    """See the Protocol."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._rows = Table(table)

    def start(self, deployment: Deployment, lock: Lock, claim: Claim | None, takes_over: Lock | None) -> None:
        self._write_all(transactions.start(self._table, deployment, lock, claim, takes_over), deployment, claim)

    def enqueue(self, deployment: Deployment, claim: Claim | None) -> None:
        self._write_all(transactions.enqueue(self._table, deployment, claim), deployment, claim)

    def _write_all(self, writes: list[dict[str, Any]], deployment: Deployment, claim: Claim | None) -> None:
        if not _written(writes):
            raise self._refusal(deployment, claim)

    def _refusal(self, deployment: Deployment, claim: Claim | None) -> Conflict:
        if claim and (claimed := self._rows.get(claim_key(claim))):
            return Conflict(
                "this Idempotency-Key was used before",
                code="IdempotencyKeyUsed",
                evidence={"claimed_by": claimed["deployment_id"], "body_sha256": claimed["body_sha256"]},
            )
        held = self.environment(deployment.environment).lock
        holder = held.deployment_id if held else "another deployment that has just ended"
        return Conflict(
            f"environment {deployment.environment} is busy with deployment {holder}",
            code="EnvironmentBusy",
            field="environment",
            remedy="Wait until it ends, or abort it; then send the request again.",
            evidence={"holder": held.deployment_id if held else ""},
        )

    def deployment(self, deployment_id: str) -> Deployment:
        found = self._rows.get(deployment_key(deployment_id))
        if not found:
            raise NotFound(
                f"there is no deployment {deployment_id}",
                field="id",
                remedy="GET /deployments lists those that exist.",
            )
        return items.to_deployment(found)

    def deployments(
        self, environment: str | None, status: DeploymentStatus | None, limit: int, cursor: str | None
    ) -> Page:
        index, name, value = ("by_all", "listed_all", "ALL")
        if environment:
            index, name, value = ("by_environment", "listed", f"ENVIRONMENT#{environment}")
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": "#listed = :listed",
            "ExpressionAttributeNames": {"#listed": name},
            "ExpressionAttributeValues": {":listed": {"S": value}},
            "ScanIndexForward": False,
        }
        if status:
            query["FilterExpression"] = "#status = :status"
            query["ExpressionAttributeNames"]["#status"] = "status"
            query["ExpressionAttributeValues"][":status"] = {"S": status.value}
        found: list[Mapping[str, Any]] = []
        start = _decode_cursor(cursor, name, value)
        while len(found) < limit:
            # A filter is applied after the limit, so one page may hold fewer than were asked for.
            given = query | {"Limit": limit - len(found)} | ({"ExclusiveStartKey": start} if start else {})
            told = call("dynamodb", "query", **given)
            found.extend(plain(item) for item in told["Items"])
            start = told.get("LastEvaluatedKey")
            if not start:
                break
        return Page([items.to_deployment(item) for item in found], _encode_cursor(start))

    def next_in_line(self, environment: str) -> Deployment | None:
        first = self._rows.under(f"ENVIRONMENT#{environment}", "LINE#", limit=1)
        return self.deployment(str(first[0]["deployment_id"])) if first else None

    def take_turn(self, deployment: Deployment, lock: Lock) -> None:
        if not _written(transactions.take_turn(self._table, deployment, lock)):
            raise Conflict(f"environment {deployment.environment} is busy", code="EnvironmentBusy")

    def leave_line(self, deployment: Deployment, changes: Mapping[str, Any]) -> None:
        if not _written(transactions.leave_line(self._table, deployment, changes)):
            raise Conflict(f"deployment {deployment.id} no longer waits", code="NotWaiting", field="id")

    def update_deployment(self, deployment_id: str, changes: Mapping[str, Any]) -> None:
        final = [status.value for status in DeploymentStatus if status.is_final]
        expression, names, values = items.update_of(changes)
        names["#status"] = "status"
        finals = {f":final{number}": status for number, status in enumerate(final)}
        try:
            call(
                "dynamodb",
                "update_item",
                TableName=self._table,
                Key=deployment_key(deployment_id),
                UpdateExpression=expression,
                ConditionExpression=f"attribute_exists(pk) AND NOT #status IN ({', '.join(finals)})",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values | items.write(finals),
            )
        except AwsCallFailed as error:
            if not _is_refused(error):
                raise
            raise Conflict(f"deployment {deployment_id} has ended already; its record stays as it is") from error

    def phases(self, deployment_id: str) -> Sequence[PhaseRecord]:
        found = self._rows.under(f"DEPLOYMENT#{deployment_id}", "PHASE#")
        return [items.to_phase(item) for item in found]

    def put_phase(self, deployment_id: str, phase: PhaseRecord) -> None:
        key = deployment_key(deployment_id, f"PHASE#{phase.number:02}#{phase.name}")
        self._rows.put(key, items.of_phase(phase))

    def add_event(self, deployment_id: str, at: str, kind: str, detail: Mapping[str, Any]) -> None:
        self._rows.add(
            f"DEPLOYMENT#{deployment_id}",
            f"EVENT#{at}#{kind}",
            {"at": at, "kind": kind, "detail": dict(detail)},
        )

    def event(self, deployment_id: str, key: str) -> Mapping[str, Any]:
        found = self._rows.get(deployment_key(deployment_id, key))
        if not found:
            raise NotFound(f"deployment {deployment_id} has no event {key}")
        return items.visible(found)

    def events(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        found = self._rows.under(f"DEPLOYMENT#{deployment_id}", "EVENT#")
        return [items.visible(item) for item in found]

    def environment(self, name: str) -> Environment:
        found = self._rows.get(environment_key(name))
        return items.to_environment(name, found) if found else Environment(name)

    def environments(self) -> Sequence[Environment]:
        found = pages(
            "dynamodb",
            "query",
            "Items",
            TableName=self._table,
            IndexName="by_all",
            KeyConditionExpression="listed_all = :all",
            ExpressionAttributeValues={":all": {"S": "ENVIRONMENTS"}},
        )
        return [items.to_environment(str(plain["at"]), plain) for plain in map(plain, found)]

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
        given: dict[str, Any] = {"UpdateExpression": expression}
        if holder:
            names = {**names, "#lock": "lock"}
            values = {**values, ":holder": {"S": holder}}
            given["ConditionExpression"] = "#lock.deployment_id = :holder"
        if values:
            given["ExpressionAttributeValues"] = values
        if names:
            given["ExpressionAttributeNames"] = names
        try:
            call("dynamodb", "update_item", TableName=self._table, Key=environment_key(name), **given)
        except AwsCallFailed as error:
            if not _is_refused(error):
                raise
            raise LockLost(
                f"deployment {holder} no longer holds environment {name}",
                remedy="See GET /environments/{name} for the deployment that does.",
            ) from error

    def set_applied(self, name: str, phase: str, applied: Applied | None, *, holder: str) -> None:
        # One attribute a phase: an update of one never rewrites what another phase applied.
        names = {"#applied": f"applied_{phase}"}
        if applied:
            values = items.write({":applied": items.of_applied(applied)})
            self._update_environment(name, "SET #applied = :applied", names, values, holder)
        else:
            self._update_environment(name, "REMOVE #applied", names, {}, holder)

    def renew_lock(self, name: str, lock: Lock) -> None:
        values = items.write({":lock": items.of_lock(lock)})
        self._update_environment(name, "SET #lock = :lock", {"#lock": "lock"}, values, lock.deployment_id)

    def release_lock(self, name: str, holder: str) -> None:
        try:
            self._update_environment(name, "REMOVE #lock", {"#lock": "lock"}, {}, holder)
        except LockLost:
            return  # as promised: another deployment, or none, holds it

    def add_history(self, name: str, at: str, entry: Mapping[str, Any]) -> None:
        self._rows.add(f"ENVIRONMENT#{name}", f"HISTORY#{at}", {"at": at, **entry})

    def history(self, name: str, limit: int) -> Sequence[Mapping[str, Any]]:
        found = self._rows.under(f"ENVIRONMENT#{name}", "HISTORY#", newest_first=True, limit=limit)
        return [items.visible(item) for item in found]

    def history_since(self, name: str, at: str) -> Sequence[Mapping[str, Any]]:
        found = self._rows.under(f"ENVIRONMENT#{name}", "HISTORY#", since=at, newest_first=True, only=_FIGURED)
        return [items.visible(item) for item in found]


def _written(writes: list[dict[str, Any]]) -> bool:
    """All of them in one transaction; False, and none, when a condition of one does not hold."""
    try:
        # Not through `call`: the reasons of a cancelled transaction are in the raw answer.
        client("dynamodb").transact_write_items(TransactItems=writes)
    except ClientError as error:
        codes = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
        if "ConditionalCheckFailed" not in codes:
            raise translated(error, "dynamodb:transact_write_items") from error
        return False
    return True


def _is_refused(error: AwsCallFailed) -> bool:
    return error.evidence.get("aws_code") == "ConditionalCheckFailedException"


def _encode_cursor(key: Mapping[str, Any] | None) -> str | None:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode() if key else None


def _decode_cursor(cursor: str | None, listed: str, value: str) -> dict[str, Any] | None:
    """Where the page before ended, in the list whose key `listed` is `value`."""
    if not cursor:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError as error:
        raise _no_cursor() from error
    texts = isinstance(key, dict) and all(isinstance(one, dict) and set(one) == {"S"} for one in key.values())
    if not texts or key.get(listed) != {"S": value}:
        raise _no_cursor()
    return dict(key)


def _no_cursor() -> BadRequest:
    return BadRequest("cursor is not one that this API gave for this list", field="cursor", remedy="Leave it out.")
