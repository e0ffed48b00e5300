"""Writes that meet another transaction or a rate are repeated, and end as Throttled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.model import OperationModel
from chalicelib.adapters import writes
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import client
from chalicelib.adapters.simulations import DynamoSimulations
from chalicelib.domain.aws.identity import Simulation
from chalicelib.domain.errors import AwsCallFailed, Conflict, LockLost, Throttled
from chalicelib.domain.model import PhaseRecord, PhaseStatus

from tests.fakes.table import make_table
from tests.functional.adapters.test_records import deployment, ending, lock

PHASE = PhaseRecord(1, "preflight", PhaseStatus.SUCCEEDED)
CANCELLED = "TransactionCanceledException"
PASSING = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")


@pytest.fixture
def records() -> DynamoRecords:
    make_table()
    held = DynamoRecords("proxyctl")
    held.start(deployment(), lock(), None, None)
    return held


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "_SHORTEST_S", 0.0)
    monkeypatch.setattr(writes, "_LONGEST_S", 0.0)


@contextmanager
def refusing(times: int, code: str, reasons: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """The next writes are refused as DynamoDB does it, whoever plays DynamoDB. Yields the operations sent."""
    sent: list[str] = []
    answer = {"Error": {"Code": code, "Message": "in the way"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    answer |= {"CancellationReasons": [{"Code": each} for each in reasons]} if reasons else {}

    def before_call(model: OperationModel, **_: object) -> tuple[AWSResponse, Mapping[str, object]] | None:
        sent.append(model.name)
        return None if len(sent) > times else (AWSResponse("", 400, {}, None), answer)

    events = client("dynamodb").meta.events
    events.register("before-call.dynamodb", before_call)
    try:
        yield sent
    finally:
        events.unregister("before-call.dynamodb", before_call)


@pytest.mark.parametrize("code", PASSING)
def test_a_phases_record_survives_a_transaction_in_its_way(records: DynamoRecords, code: str) -> None:
    """A POST to a busy environment conditions on the same lock at the same moment."""
    with refusing(3, CANCELLED, ("None", code)) as sent:
        records.put_phase_as("dev", lock(), PHASE)
    assert sent == ["TransactWriteItems"] * 4
    assert [phase.name for phase in records.phases("d-1")] == ["preflight"]


@pytest.mark.parametrize("code", PASSING)
def test_a_transaction_that_stays_in_conflict_is_throttled(records: DynamoRecords, code: str) -> None:
    with refusing(99, CANCELLED, (code, "None")) as sent, pytest.raises(Throttled, match=code):
        records.put_phase_as("dev", lock(), PHASE)
    assert len(sent) == 8


def test_a_transaction_without_an_answer_is_repeated_with_its_token(records: DynamoRecords) -> None:
    """DynamoDB then answers the second attempt as the first one, if that took effect: its conditions hold no more."""
    sent: list[str] = []

    def before_call(params: Mapping[str, Any], **_: object) -> None:
        sent.append(json.loads(params["body"])["ClientRequestToken"])
        if len(sent) == 1:
            raise ConnectionClosedError(endpoint_url="https://dynamodb.example")

    events = client("dynamodb").meta.events
    events.register("before-call.dynamodb.TransactWriteItems", before_call)
    try:
        records.put_phase_as("dev", lock(), PHASE)
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", before_call)
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert [phase.name for phase in records.phases("d-1")] == ["preflight"]


def test_every_transaction_of_a_deployments_life_is_repeated(records: DynamoRecords) -> None:
    waits = replace(deployment(2), waiting=True)
    with refusing(1, CANCELLED, ("TransactionConflict",)):
        records.enqueue(waits, None)
    with refusing(1, CANCELLED, ("TransactionConflict",)):
        records.end(deployment(), ending())
    with refusing(1, CANCELLED, ("TransactionConflict",)):
        records.take_turn(waits, lock(2))
    with refusing(1, CANCELLED, ("TransactionConflict",)), pytest.raises(Conflict):
        records.start(deployment(3), lock(3), None, None)


def test_a_write_of_one_item_is_repeated(records: DynamoRecords) -> None:
    changes: tuple[Callable[[], object], ...] = (
        lambda: records.update_environment("dev", {"status": "BUSY"}, holder="d-1"),
        lambda: records.update_deployment("d-1", {"summary": "x"}),
        lambda: records.renew_lock("dev", lock()),
        lambda: records.put_phase("d-1", PHASE),
        lambda: records.add_event("d-1", "2026", "kind", {}),
        lambda: records.add_history("dev", "2026", {}),
        lambda: DynamoSimulations("proxyctl").remember({"r": Simulation("d", "2026-01-01T00:00:00.000+00:00")}),
    )
    for change in changes:
        with refusing(1, "TransactionConflictException") as sent:
            change()
        assert len(sent) == 2


def test_a_write_of_one_item_that_stays_in_conflict_is_throttled(records: DynamoRecords) -> None:
    with refusing(99, "TransactionConflictException"), pytest.raises(Throttled, match="TransactionConflictException"):
        records.renew_lock("dev", lock())


def test_a_condition_that_does_not_hold_is_not_repeated(records: DynamoRecords) -> None:
    with (
        refusing(1, CANCELLED, ("ConditionalCheckFailed", "TransactionConflict")) as sent,
        pytest.raises(LockLost),
    ):
        records.put_phase_as("dev", lock(), PHASE)
    assert sent.count("TransactWriteItems") == 1


def test_another_reason_is_an_error_at_once(records: DynamoRecords) -> None:
    with refusing(1, CANCELLED, ("ValidationError",)) as sent, pytest.raises(AwsCallFailed):
        records.put_phase_as("dev", lock(), PHASE)
    assert len(sent) == 1


def test_pauses_grow_with_jitter_and_end() -> None:
    pauses: list[float] = []

    def always() -> None:
        raise Throttled("no")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writes, "_SHORTEST_S", 0.025)
        patch.setattr(writes, "_LONGEST_S", 1.0)
        with pytest.raises(Throttled):
            writes.repeated(always, sleep=pauses.append, clock=lambda: 0.0, jitter=lambda: 0.5)
    assert pauses == [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.5]


@pytest.mark.parametrize(("each_s", "attempts"), [(0.8, 8), (2.9, 3), (3.0, 2), (7.0, 1)])
def test_slow_attempts_are_fewer(each_s: float, attempts: int) -> None:
    """None begins later than 6 s after the first."""
    now, count = 0.0, 0

    def always() -> None:
        nonlocal now, count
        now, count = now + each_s, count + 1
        raise Throttled("no")

    with pytest.raises(Throttled):
        writes.repeated(always, sleep=lambda _: None, clock=lambda: now)
    assert count == attempts
