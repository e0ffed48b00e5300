"""An environment's monitoring behind the real adapters: what nobody touched is no difference, what someone did is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import boto3
import pytest
from chalicelib.adapters.alarms import CloudWatchAlarms
from chalicelib.adapters.logs import CloudWatchLogs
from chalicelib.adapters.topics import SnsTopics
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.monitoring import apply, inspect
from chalicelib.ports import Aws

from tests.fakes import FakeAws
from tests.fakes.requests import environment, request, results
from tests.functional.adapters.conftest import ACCOUNT, REGION

NAMES = Names("dev")
ERRORS, CRASHES = NAMES.alarm("errors"), NAMES.alarm("crashes")


@pytest.fixture
def configured(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The monitoring of environment dev, as configure_monitoring leaves it."""
    if emulator == "moto":
        # moto has alarms with metric math and no saved queries; MiniStack is the other way round.
        monkeypatch.setattr(CloudWatchLogs, "keeps_queries", lambda _self: False)
    fake = cast(Any, FakeAws())
    fake.alarms, fake.logs, fake.topics = CloudWatchAlarms(), CloudWatchLogs(), SnsTopics("aws", REGION, ACCOUNT)
    for group in (NAMES.log_group, NAMES.access_log_group):
        fake.logs.create_group(group, NAMES.tags)
    apply.apply(ask(), fake)
    return cast(Aws, fake)


def ask() -> Request:
    stack = StackEvidence(stack_id="id", outputs={"StageName": "api"})
    good = Release("2", "d-old", "t", config=dataclasses.asdict(Config()))
    stands = environment(live=good, last_good=good)
    return request(environment=stands, results=results(stack, SecretEvidence(targets={"fast": "gpt-4o-mini"})))


def drop_topic() -> None:
    boto3.client("sns").delete_topic(TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAMES.topic}")


ROWS: dict[str, tuple[Callable[[], object], str]] = {
    "alarm": (
        lambda: boto3.client("cloudwatch").delete_alarms(AlarmNames=[ERRORS]),
        f"alarm {ERRORS} was deleted",
    ),
    "silenced alarm": (
        lambda: boto3.client("cloudwatch").disable_alarm_actions(AlarmNames=[ERRORS]),
        f"alarm {ERRORS} was silenced",
    ),
    "dashboard": (
        lambda: boto3.client("cloudwatch").delete_dashboards(DashboardNames=[NAMES.dashboard]),
        "dashboard proxyctl was deleted",
    ),
    "filter": (
        lambda: boto3.client("logs").delete_metric_filter(logGroupName=NAMES.log_group, filterName=CRASHES),
        f"metric filter {CRASHES} was deleted",
    ),
    "retention": (
        lambda: boto3.client("logs").put_retention_policy(logGroupName=NAMES.log_group, retentionInDays=1),
        f"retention of log group {NAMES.log_group} was changed to 1",
    ),
    "topic": (drop_topic, f"topic {NAMES.topic} was deleted"),
}


def test_monitoring_that_nobody_touched_has_no_difference(configured: Aws) -> None:
    assert inspect.differences(ask(), configured) == ()


@pytest.mark.parametrize("row", ROWS)
def test_what_someone_touched_is_the_one_difference_and_defined_again(configured: Aws, row: str) -> None:
    spoil, named = ROWS[row]
    spoil()
    assert named in inspect.differences(ask(), configured)
    apply.apply(ask(), configured)
    assert inspect.differences(ask(), configured) == ()
