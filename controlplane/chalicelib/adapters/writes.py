"""Writes to the table. What another write or a rate stands in the way of is repeated, then Throttled.

DynamoDB refuses a write to an item that a transaction is writing (`TransactionConflictException`), and cancels a
transaction for the same reason (`TransactionCanceledException` with `TransactionConflict`); botocore repeats neither:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html, "Transaction conflict handling".
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import AwsCallFailed, Throttled

from .session import call, client, translated, unanswered

T = TypeVar("T")
_ATTEMPTS = 8
_SHORTEST_S, _LONGEST_S = 0.025, 1.0
_PATIENCE_S = 6.0  # botocore repeats a throttled call for some seconds itself, so attempts alone would take a minute
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_OPERATION = "dynamodb:transact_write_items"


def item(method: str, **arguments: Any) -> None:
    """A write of one item, such as `update_item`. Raises Throttled when it stays in conflict."""
    repeated(lambda: call("dynamodb", method, **arguments))


def transaction(writes: list[dict[str, Any]]) -> set[int]:
    """Write all of these, or nothing: then the positions of those whose conditions did not hold. Raises Throttled."""
    if len(writes) == 1:
        return _alone(writes[0])
    # One token for all attempts: one that took effect without an answer is not refused because of its own writes.
    token = str(uuid.uuid4())
    return repeated(lambda: _transaction(writes, token))


def _alone(write: dict[str, Any]) -> set[int]:
    """A transaction of one write costs twice as many units as the write."""
    ((kind, arguments),) = write.items()
    try:
        item(f"{kind.lower()}_item", **arguments)
    except AwsCallFailed as error:
        if error.aws_code != "ConditionalCheckFailedException":
            raise
        return {0}
    return set()


def repeated(
    attempt: Callable[[], T],
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> T:
    """Calls until it is not Throttled: at most 8 times, the last one begun within 6 s. Pauses are a random part of
    25 ms, 50 ms … 1 s, so that two writers do not meet again."""
    began, pause, attempts = clock(), _SHORTEST_S, 1
    while True:
        try:
            return attempt()
        except Throttled:
            if attempts == _ATTEMPTS or clock() - began >= _PATIENCE_S:
                raise
        sleep(pause * jitter())
        pause, attempts = min(2 * pause, _LONGEST_S), attempts + 1


def _transaction(writes: list[dict[str, Any]], token: str) -> set[int]:
    try:
        # Not through `call`: the reasons of a cancelled transaction are in the raw answer.
        client("dynamodb").transact_write_items(TransactItems=writes, ClientRequestToken=token)
    except BotoCoreError as error:
        raise unanswered(error, _OPERATION) from error
    except ClientError as error:
        codes = [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
        refused = {position for position, code in enumerate(codes) if code == "ConditionalCheckFailed"}
        if refused:
            return refused
        if passing := sorted(_PASSING.intersection(codes)):
            evidence = {"aws_code": passing[0], "operation": _OPERATION}
            raise Throttled(f"{_OPERATION}: {', '.join(passing)}", evidence=evidence) from error
        raise translated(error, _OPERATION) from error
    return set()
