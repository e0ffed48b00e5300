"""What calls of AWS use is counted by the client's own events, with DynamoDB's units as it answers them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from chalicelib.adapters import meter
from chalicelib.adapters.meter import CallMeter, Counter, capacity_of, count, units_of
from chalicelib.domain.aws.usage import Usage

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "usage"),
    [
        ("s3", "PutObject", {"Body": b"four"}, Usage(s3_writes=1, s3_bytes=4)),
        ("s3", "ListObjectsV2", {}, Usage(s3_writes=1)),
        ("s3", "GetObject", {}, Usage(s3_reads=1)),
        ("s3", "HeadObject", {}, Usage(s3_reads=1)),
        ("s3", "DeleteObject", {}, Usage()),
        ("secretsmanager", "GetSecretValue", {}, Usage(secret_calls=1)),
        ("cloudwatch", "GetMetricData", {"MetricDataQueries": [{"MetricStat": {}}, {"Expression": "a"}]},
         Usage(metrics_read=1)),
        ("cloudwatch", "PutMetricAlarm", {}, Usage(cloudwatch_calls=1)),
        ("events", "PutEvents", {"Entries": [{}, {}]}, Usage(messages=2)),
        ("sns", "Publish", {}, Usage(messages=1)),
        ("lambda", "Invoke", {}, Usage(proxy_invokes=1)),
        ("lambda", "GetFunction", {}, Usage()),
        ("stepfunctions", "StartExecution", {}, Usage()),
    ],
)  # fmt: skip
def test_requests_cost_by_service_and_operation(
    service: str, operation: str, arguments: dict[str, Any], usage: Usage
) -> None:
    assert units_of(service, operation, arguments) == usage


@pytest.mark.parametrize(
    ("operation", "answer", "usage"),
    [
        ("GetItem", {"ConsumedCapacity": {"CapacityUnits": 0.5}}, Usage(read_units=0.5)),
        ("BatchGetItem", {"ConsumedCapacity": [{"CapacityUnits": 1.0}, {"CapacityUnits": 2.0}]}, Usage(read_units=3)),
        ("UpdateItem", {"ConsumedCapacity": {"CapacityUnits": 4.0}}, Usage(write_units=4)),
        ("TransactWriteItems", {"ConsumedCapacity": [{"CapacityUnits": 12.0}]}, Usage(write_units=12)),
        ("PutItem", {}, Usage()),
    ],
)
def test_capacity_is_read_from_the_answer(operation: str, answer: dict[str, Any], usage: Usage) -> None:
    assert capacity_of(operation, answer) == usage


def client(service: str, counter: Counter) -> Any:
    counted_client = boto3.client(service, "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    count(counted_client.meta.events, counter)
    return counted_client


def test_dynamodb_is_asked_for_its_units() -> None:
    counter = Counter()
    with Stubber(dynamodb := client("dynamodb", counter)) as stubber:
        expected = {"TableName": "t", "Key": KEY, "ReturnConsumedCapacity": "TOTAL"}
        stubber.add_response("get_item", {"ConsumedCapacity": {"CapacityUnits": 1.5}}, expected)
        dynamodb.get_item(TableName="t", Key=KEY)
    assert counter.read() == Usage(read_units=1.5)


def test_operations_that_have_no_units_are_not_asked_for_them() -> None:
    with Stubber(dynamodb := client("dynamodb", Counter())) as stubber:
        stubber.add_response("describe_table", {}, {"TableName": "t"})
        dynamodb.describe_table(TableName="t")


def test_a_direct_call_of_the_proxy_counts_with_its_time() -> None:
    counter = Counter()
    with Stubber(lambda_ := client("lambda", counter)) as stubber:
        body = StreamingBody(io.BytesIO(b""), 0)
        stubber.add_response("invoke", {"StatusCode": 200, "Payload": body}, {"FunctionName": ANY})
        lambda_.invoke(FunctionName="f")
    assert counter.read().proxy_invokes == 1
    assert 0 <= counter.read().proxy_s < 10


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_call_of_a_process_includes_its_start_and_later_ones_do_not() -> None:
    clock = Clock()
    cold = CallMeter(512, Counter(), clock, age=lambda: 0.75)
    cold.begin()
    clock.now += 1.25
    assert cold.read() == Usage(calls=1, gb_s=1.0)
    clock.now += 100
    cold.begin()
    clock.now += 0.5
    assert cold.read() == Usage(calls=1, gb_s=0.25)


def test_a_process_that_waited_for_its_first_call_is_not_billed_for_the_wait() -> None:
    clock = Clock()
    early = CallMeter(1_024, Counter(), clock, age=lambda: 3_600.0)
    early.begin()
    assert early.read().gb_s == 10.0


@pytest.mark.parametrize(("seconds", "gb_s"), [(0.001, 0.001), (0.0011, 0.002), (0.5, 0.5)])
def test_time_is_rounded_up_to_milliseconds(seconds: float, gb_s: float) -> None:
    clock = Clock()
    clock.now = 0.0
    warm = CallMeter(1_024, Counter(), clock, age=lambda: 0.0)
    warm.begin()
    clock.now = seconds
    assert warm.read().gb_s == gb_s


def test_a_call_counts_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter()
    counter.add(Usage(s3_reads=5))
    this = CallMeter(512, counter, Clock(), age=lambda: 0.0)
    this.begin()
    counter.add(Usage(s3_reads=2))
    assert this.read().s3_reads == 2


@pytest.fixture
def counted() -> Iterator[Counter]:
    meter.COUNTER.reset()
    yield meter.COUNTER
    meter.COUNTER.reset()


def test_a_request_to_the_proxy_counts_with_its_time(counted: Counter) -> None:
    meter.count_request(0.25)
    assert counted.read() == Usage(proxy_calls=1, proxy_s=0.25)


def test_this_process_began_a_while_ago() -> None:
    assert 0 <= meter.process_age_s() < 86_400
