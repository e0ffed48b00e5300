"""The CloudWatch adapter against moto, with the very alarms and dashboard of an environment."""

from __future__ import annotations

import boto3
import pytest
from chalicelib.adapters import session
from chalicelib.adapters.alarms import CloudWatchAlarms
from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions

from tests.functional.adapters.conftest import ACCOUNT, REGION, TAGS

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:proxyctl-dev-alarms"
ALL = list(definitions(Names("dev"), AlarmThresholds(), stage="api", topic_arn=TOPIC))


@pytest.mark.parametrize("alarm", ALL, ids=[alarm.name for alarm in ALL])
def test_what_is_put_is_what_is_found(alarm: Alarm) -> None:
    alarms = CloudWatchAlarms()
    alarms.put(alarm, TAGS)
    (result,) = alarms.find("proxyctl/dev/")
    assert result.definition == alarm
    answer = boto3.client("cloudwatch").list_tags_for_resource(ResourceARN=result.arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in answer} == TAGS


def test_missing_data_and_recovery_are_as_meant() -> None:
    CloudWatchAlarms().put(ALL[0], TAGS)
    answer = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"][0]
    assert answer["TreatMissingData"] == "notBreaching"
    assert answer["OKActions"] == answer["AlarmActions"] == [TOPIC]
    assert answer["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_states_are_set_and_only_the_prefix_is_found() -> None:
    alarms = CloudWatchAlarms()
    for alarm in (*ALL, *definitions(Names("dev-2"), AlarmThresholds(), stage="api", topic_arn=TOPIC)):
        alarms.put(alarm, TAGS)
    alarms.set_state("proxyctl/dev/errors", "ALARM", "a drill")
    result = {alarm.name: (alarm.state, alarm.reason) for alarm in alarms.find("proxyctl/dev/")}
    assert len(result) == len(ALL)
    assert result["proxyctl/dev/errors"] == ("ALARM", "a drill")


def test_deleting_takes_any_number_and_none() -> None:
    alarms = CloudWatchAlarms()
    for alarm in ALL:
        alarms.put(alarm, TAGS)
    alarms.delete([alarm.name for alarm in ALL])
    alarms.delete([])
    assert alarms.find("proxyctl/") == []


def test_a_dashboard_is_put_found_and_deleted() -> None:
    alarms = CloudWatchAlarms()
    alarms.put_dashboard("proxyctl-dev", '{"widgets": []}')
    assert alarms.dashboard("proxyctl-dev") == '{"widgets": []}'
    alarms.delete_dashboards(["proxyctl-dev"])
    alarms.delete_dashboards([])
    assert alarms.dashboard("proxyctl-dev") is None


def test_a_silenced_alarm_is_told_from_one_that_acts() -> None:
    alarms = CloudWatchAlarms()
    alarms.put(ALL[0], TAGS)
    assert [item.actions_enabled for item in alarms.find(ALL[0].name)] == [True]
    boto3.client("cloudwatch").disable_alarm_actions(AlarmNames=[ALL[0].name])
    assert [item.actions_enabled for item in alarms.find(ALL[0].name)] == [False]


def test_percentiles_of_few_samples_are_ignored_and_other_statistics_are_not_asked_about() -> None:
    requested: dict[str, str | None] = {}

    def keep(params: dict[str, object], **_: object) -> None:
        requested[str(params["AlarmName"])] = str(params.get("EvaluateLowSampleCountPercentile"))

    session.client("cloudwatch").meta.events.register("provide-client-params.cloudwatch.PutMetricAlarm", keep)
    for alarm in ALL:
        CloudWatchAlarms().put(alarm, TAGS)
    ignoring = {name.rpartition("/")[2] for name, rule in requested.items() if rule == "ignore"}
    assert ignoring == {"overhead", "first-byte"}
