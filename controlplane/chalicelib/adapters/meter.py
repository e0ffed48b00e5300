"""Counts what the calls of this process use, by botocore's events and the process's clocks; behind `ports.meter`.

DynamoDB is asked to answer the units of each request, which costs nothing. Repetitions by the SDK are not counted.
Requests to Step Functions, IAM, STS, CloudFormation, API Gateway's and Lambda's control APIs, tags and queries of log
groups cost nothing by the request (price pages of each service).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chalicelib.domain.aws.usage import Usage

_CAPACITY = "ReturnConsumedCapacity"
_BEGAN = "proxyctl_began"  # in botocore's context of a request
_LONGEST_START_S = 10.0  # Lambda's limit for the start of a process
_STARTED_AT = 19  # of the fields of /proc/self/stat behind the program's name: ticks since the machine's start
_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_S3_READS = ("Get", "Head")
_MESSAGES: Mapping[tuple[str, str], str] = {
    ("sns", "Publish"): "",
    ("sqs", "SendMessage"): "",
    ("sqs", "ReceiveMessage"): "",
    ("sqs", "DeleteMessage"): "",
    ("sqs", "ChangeMessageVisibility"): "",
    ("events", "PutEvents"): "Entries",
}


def units_of(service: str, operation: str, arguments: Mapping[str, Any]) -> Usage:
    """What a request costs whatever it is answered. service: botocore's name of it; DynamoDB's units come with the
    answer, see `capacity_of`."""
    if service == "s3":
        return _s3(operation, arguments)
    if service == "secretsmanager":
        return Usage(secret_calls=1)
    if service == "cloudwatch":
        queries = arguments.get("MetricDataQueries", ())
        return Usage(metrics_read=sum("MetricStat" in each for each in queries), cloudwatch_calls=int(not queries))
    if (service, operation) in _MESSAGES:
        several = _MESSAGES[service, operation]
        return Usage(messages=len(arguments.get(several, ())) if several else 1)
    return Usage(proxy_invokes=1) if (service, operation) == ("lambda", "Invoke") else Usage()


def _s3(operation: str, arguments: Mapping[str, Any]) -> Usage:
    if operation.startswith("Delete"):
        return Usage()
    if operation.startswith(_S3_READS):
        return Usage(s3_reads=1)
    body = arguments.get("Body", b"")
    return Usage(s3_writes=1, s3_bytes=len(body) if isinstance(body, bytes | str) else 0)


def capacity_of(operation: str, answer: Mapping[str, Any]) -> Usage:
    """DynamoDB's units of an answer to a request with ReturnConsumedCapacity."""
    consumed = answer.get("ConsumedCapacity") or ()
    tables = [consumed] if isinstance(consumed, Mapping) else consumed
    units = float(sum(each.get("CapacityUnits", 0.0) for each in tables))
    return Usage(read_units=units) if operation in _READS else Usage(write_units=units)


class Counter:
    """Units since the last `reset`; several threads may add."""

    def __init__(self) -> None:
        self._sum = Usage()
        self._lock = threading.Lock()

    def add(self, usage: Usage) -> None:
        with self._lock:
            self._sum = self._sum.plus(usage)

    def reset(self) -> None:
        with self._lock:
            self._sum = Usage()

    def read(self) -> Usage:
        return self._sum


COUNTER = Counter()
"""Of this process: every client of `session` and every request of `endpoint` adds to it."""


def count(events: Any, counter: Counter = COUNTER) -> None:
    """Have a client's requests counted. events: `client.meta.events`."""

    def begins(params: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        service = model.service_model.service_name
        if service == "dynamodb" and model.input_shape and _CAPACITY in model.input_shape.members:
            params.setdefault(_CAPACITY, "TOTAL")
        context[_BEGAN] = time.monotonic()
        counter.add(units_of(service, model.name, params))

    def ends(parsed: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        service = model.service_model.service_name
        if service == "dynamodb":
            counter.add(capacity_of(model.name, parsed))
        elif service == "lambda" and model.name == "Invoke":
            counter.add(Usage(proxy_s=time.monotonic() - context.get(_BEGAN, time.monotonic())))

    events.register("provide-client-params", begins)
    events.register("after-call", ends)


def count_request(elapsed_s: float) -> None:
    """A request to the proxy through API Gateway, and how long its answer took."""
    COUNTER.add(Usage(proxy_calls=1, proxy_s=elapsed_s))


class CallMeter:
    """See the Protocol. memory_mb: of the function."""

    def __init__(
        self,
        memory_mb: int,
        counter: Counter = COUNTER,
        clock: Callable[[], float] = time.monotonic,
        age: Callable[[], float] | None = None,
    ) -> None:
        self._gb, self._counter, self._clock = memory_mb / 1_024, counter, clock
        self._age = age or process_age_s
        self._is_first = True
        self._began = clock()

    def begin(self) -> None:
        started_s = min(_LONGEST_START_S, self._age()) if self._is_first else 0.0
        self._is_first = False
        self._began = self._clock() - started_s
        self._counter.reset()

    def read(self) -> Usage:
        billed_s = _rounded_up(self._clock() - self._began)
        return self._counter.read().plus(Usage(calls=1, gb_s=billed_s * self._gb))


def _rounded_up(seconds: float) -> float:
    """To whole milliseconds, as Lambda bills."""
    return -(-seconds * 1_000 // 1) / 1_000


def process_age_s() -> float:
    """Seconds since this process began; 0 where the system does not say (macOS)."""
    try:
        behind_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return 0.0
    return max(0.0, uptime_s - int(behind_name[_STARTED_AT]) / os.sysconf("SC_CLK_TCK"))
