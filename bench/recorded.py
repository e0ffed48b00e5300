"""Recorded environments for `bench.revalidation`: AWS as moto emulates it, with a meter on every call."""

from __future__ import annotations

import copy
import inspect
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from unittest import mock

import boto3
from chalicelib.adapters.artifacts import S3Artifacts
from chalicelib.adapters.executions import StepFunctionsExecutions
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import client
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.config import Config
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions
from chalicelib.ports import Aws
from chalicelib.release import release
from moto import mock_aws
from moto.dynamodb.models.table import Table

from tests.fakes import FakeAws
from tests.fakes.table import make_table


@dataclass
class Meter:
    """Calls by part, and the seconds of processor time that the emulator (moto) took for them."""

    calls: dict[str, Counter[str]] = field(default_factory=dict)
    emulated_s: float = 0.0
    part: str = ""
    _since: float = 0.0

    def listen(self) -> None:
        events = boto3.DEFAULT_SESSION.events
        events.register_first("before-send", self._begins)
        events.register("response-received", self._ends)

    def _begins(self, event_name: str, **_other: object) -> None:
        _, service, operation = event_name.split(".", 2)
        self.calls.setdefault(self.part, Counter())[f"{service}:{operation}"] += 1
        self._since = time.process_time()

    def _ends(self, **_other: object) -> None:
        self.emulated_s += time.process_time() - self._since


@dataclass
class World:
    """The fakes for all services but those that a night itself writes to, whose calls are counted."""

    fakes: FakeAws
    records: DynamoRecords
    nights: DynamoNights
    artifacts: S3Artifacts
    executions: StepFunctionsExecutions

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fakes, name)

    def as_aws(self) -> Aws:
        return cast(Aws, self)


@contextmanager
def world() -> Iterator[tuple[World, Meter]]:
    """An empty table and a state machine, in moto."""
    with variables(), mock_aws(), _partitions_apart():
        boto3.setup_default_session()
        meter = Meter()
        meter.listen()
        make_table()
        yield _new_world(), meter


def _new_world() -> World:
    fakes = FakeAws()
    bucket, place = fakes.settings.bucket, {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    machine = boto3.client("stepfunctions").create_state_machine(
        name="proxyctl-rollout",
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/states",
    )["stateMachineArn"]
    records, nights = DynamoRecords("proxyctl"), DynamoNights("proxyctl")
    return World(fakes, records, nights, S3Artifacts(bucket), StepFunctionsExecutions(machine))


@contextmanager
def variables() -> Iterator[None]:
    """moto's credentials in the process environment, which is restored afterwards."""
    variables = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-central-1"}
    with mock.patch.dict(os.environ, variables):
        os.environ.pop("AWS_ENDPOINT_URL", None)
        client.cache_clear()
        try:
            yield
        finally:
            client.cache_clear()
            boto3.DEFAULT_SESSION = None


@contextmanager
def _partitions_apart() -> Iterator[None]:
    """moto scans and sorts the whole table for each query; here it reads the queried partition only, as DynamoDB does.
    Otherwise a bench of 200 environments would measure moto's sorting."""
    query = Table.query
    signature = inspect.signature(query)

    def of_its_partition(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        table, hash_key = bound.arguments["self"], bound.arguments["hash_key"]
        if bound.arguments.get("index_name") is None:
            bound.arguments["self"] = partition = copy.copy(table)
            partition.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}
        return query(*bound.args, **bound.kwargs)

    Table.query = of_its_partition  # type: ignore[method-assign]
    try:
        yield
    finally:
        Table.query = query  # type: ignore[method-assign]


def record_environment(here: World, name: str) -> None:
    """An environment as a good deployment leaves it: live, with function, stack, secret and alarms."""
    names = Names(name)
    arn = here.fakes.secrets.add(names.secret, json.dumps(_SECRET)).arn
    _add_resources(here, names, arn)
    live = {"version": "1", "deployment_id": "d", "at": "t", "artifact": "abc", "config": {"memory_mb": 512}}
    applied = {"fingerprint": "f", "deployment_id": "d", "at": "t"}
    changes = {
        "status": "LIVE",
        "live": live,
        "last_good": live,
        "applied_prepare_secret": {**applied, "evidence": {"arn": arn, "version_id": "v1"}},
        "applied_deploy_stack": {**applied, "evidence": {"outputs": {"StageName": "api"}}},
        "listed_all": "ENVIRONMENTS",
        "at": name,
    }
    here.records.update_environment(name, changes)


def _add_resources(here: World, names: Names, secret_arn: str) -> None:
    """Function, stack, topic and alarms, as the release code would want them."""
    config = Config()
    wanted = release.wanted(
        config,
        environment=names.environment,
        digest="abc",
        code_sha256="c",
        secret_arn=secret_arn,
        response_mode="stream",
        runtime="python3.11",
    )
    function = FunctionConfig("c", wanted.memory_mb, wanted.timeout_s, wanted.environment, "python3.11")
    here.fakes.functions.add(names.function, function, live="1", versions=1)
    here.fakes.stacks.add(names.stack)
    topic = here.fakes.topics.ensure(names.topic, {})
    for alarm in definitions(names, config.alarms, stage="api", topic_arn=topic):
        here.fakes.alarms.put(alarm, {})


_SECRET = {"schema": 1, "api_key": "sk-abcdefghijklmnopqrst", "models": {}}
