"""Facts about configure_monitoring: what is made, that every alarm is heard, and that a drill leaves no noise."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.config import AlarmThresholds, Config
from chalicelib.domain.errors import BadRequest, PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.monitoring.alarms import definitions
from chalicelib.phases.configure_monitoring import run as configure_monitoring

from tests.fakes import FakeAws
from tests.fakes.endpoint import reply
from tests.fakes.requests import environment, request

NAMES = Names("dev")
ID = "req-1"
OUTPUTS = {"ApiUrl": "https://api.example/api", "ApiId": "api1", "StageName": "api"}
RESULTS: dict[str, Mapping[str, Any]] = {
    "prepare_secret": {"targets": {"fast": "gpt-4o-mini", "own": "unknown-model"}},
    "deploy_stack": {"stack_id": "s", "outputs": OUTPUTS},
}
WATCHED = {
    "errors",
    "function-errors",
    "duration",
    "throttles",
    "concurrency",
    "client-errors",
    "server-errors",
    "latency",
    "secret-failures",
}


def aws() -> FakeAws:
    fake = FakeAws()
    fake.endpoint.answer = lambda _sent: reply(200, {}, x_request_id=ID)
    for group in (NAMES.log_group, NAMES.access_log_group):
        fake.logs.add(group)
    fake.logs.lines[NAMES.log_group] = ["START", json.dumps({"request_id": ID, "gateway_request_id": "gw-1"})]
    fake.logs.lines[NAMES.access_log_group] = [json.dumps({"requestId": "gw-1", "status": "200"})]
    return fake


def ask(**other: Any) -> Request:
    given: dict[str, Any] = {"environment": environment(), "results": RESULTS}
    return request(**given | other)


def to_the_end(asked: Request, fake: FakeAws) -> Result:
    for _ in range(20):
        result = configure_monitoring.run(asked, fake.as_aws())
        if result.status is not Status.IN_PROGRESS:
            return result
        asked = dataclasses.replace(asked, cursor=json.loads(json.dumps(result.cursor)))
    raise AssertionError(result.summary)


def test_every_alarm_is_made_fired_heard_and_set_back() -> None:
    fake = aws()
    result = to_the_end(ask(), fake)
    names = {NAMES.alarm(what) for what in WATCHED}
    assert set(fake.alarms.defined) == names
    assert set(result.evidence["heard"]) == names
    assert set(fake.alarms.states.values()) == {"OK"}
    assert fake.topics.queues == {}


def test_an_alarm_that_rings_already_is_heard_too() -> None:
    """An alarm in ALARM does not change when it is fired, and so would not tell."""
    fake = aws()
    to_the_end(ask(), fake)
    fake.alarms.states[NAMES.alarm("errors")] = "ALARM"
    assert to_the_end(ask(), fake).status is Status.SUCCEEDED


def test_a_lost_notification_fails_names_the_alarm_and_leaves_nothing_ringing() -> None:
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("latency")}
    asked = ask()
    for _ in range(3):
        asked = dataclasses.replace(asked, cursor=configure_monitoring.run(asked, fake.as_aws()).cursor)
    with pytest.raises(PhaseFailed, match=r"proxyctl/dev/latency$") as caught:
        configure_monitoring.run(ask(after_s=91, cursor=asked.cursor), fake.as_aws())
    assert caught.value.evidence["missing"] == [NAMES.alarm("latency")]
    assert set(fake.alarms.states.values()) == {"OK"}
    assert fake.topics.queues == {}


def test_what_another_drill_said_is_not_heard() -> None:
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("latency")}
    asked = dataclasses.replace(ask(), cursor=configure_monitoring.run(ask(), fake.as_aws()).cursor)
    fake.topics.deaf = set()
    fake.topics.publish(NAMES.alarm("latency"), "ALARM", "Drill by proxyctl deployment d-other")
    result = configure_monitoring.run(asked, fake.as_aws())
    assert result.summary == "8 of 9 notifications have arrived"


def test_a_second_run_makes_nothing_twice() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    seen = (dict(fake.alarms.defined), dict(fake.logs.saved), dict(fake.logs.counting), dict(fake.alarms.boards))
    to_the_end(ask(), fake)
    assert (fake.alarms.defined, fake.logs.saved, fake.logs.counting, fake.alarms.boards) == seen


def test_an_alarm_of_an_older_version_is_removed_and_anothers_environment_is_not_touched() -> None:
    fake = aws()
    fake.alarms.states |= {NAMES.alarm("forgotten"): "OK", Names("dev-2").alarm("errors"): "OK"}
    assert to_the_end(ask(), fake).evidence["removed_alarms"] == [NAMES.alarm("forgotten")]
    assert Names("dev-2").alarm("errors") in fake.alarms.states


def test_thresholds_come_from_the_configuration() -> None:
    fake = aws()
    to_the_end(ask(config=Config(alarms=AlarmThresholds(error_rate=0.2, throttles=3, latency_p99_ms=7))), fake)
    kept = {name.rpartition("/")[2]: alarm.threshold for name, alarm in fake.alarms.defined.items()}
    assert (kept["errors"], kept["function-errors"], kept["throttles"], kept["latency"]) == (0.2, 0.2, 3, 7)


def _all() -> list[Alarm]:
    return list(definitions(NAMES, AlarmThresholds(), stage="api", topic_arn="arn:topic"))


def test_all_that_the_issue_asks_for_is_watched_and_every_alarm_tells_the_topic() -> None:
    assert {alarm.name.rpartition("/")[2] for alarm in _all()} == WATCHED
    assert {alarm.actions for alarm in _all()} == {("arn:topic",)}


def test_alarms_watch_users_and_not_the_candidate_under_test() -> None:
    """validate_errors fails on purpose: were that counted, each release would roll itself back."""
    for alarm in _all():
        for metric in alarm.metrics.values():
            if metric.namespace == "AWS/Lambda":
                assert metric.dimensions["Resource"] == "proxyctl-dev-proxy:live"
            elif metric.namespace == "AWS/ApiGateway":
                assert metric.dimensions["Resource"] == "/{proxy+}"
            else:
                assert metric.namespace == "proxyctl"
                assert metric.dimensions == {"environment": "dev"}


def test_shares_and_percentiles_of_a_handful_of_requests_are_quiet() -> None:
    for alarm in _all():
        if {"requests"} <= alarm.metrics.keys():
            assert alarm.expression.startswith("IF(requests >= 10, ")


def test_recipients_are_subscribed_once_and_those_who_have_not_confirmed_are_named() -> None:
    fake = aws()
    notify = ("ops@example.com", "https://hooks.example.com/x", "arn:aws:sqs:eu-central-1:123456789012:inbox")
    result = to_the_end(ask(config=Config(notify=notify)), fake)
    assert result.evidence["unconfirmed"] == ["ops@example.com"]
    to_the_end(ask(config=Config(notify=notify)), fake)
    assert set(fake.topics.kept[result.evidence["topic"]]) == set(notify)


def test_a_recipient_of_no_known_kind_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="'pager'") as caught:
        to_the_end(ask(config=Config(notify=("pager",))), aws())
    assert caught.value.field == "config.notify"


def test_a_log_group_whose_retention_was_changed_by_hand_is_put_right() -> None:
    fake = aws()
    fake.logs.add(NAMES.log_group, None)
    to_the_end(ask(), fake)
    assert fake.logs.kept[NAMES.log_group].retention_days == 14


def test_one_request_is_followed_through_reply_function_log_and_access_log() -> None:
    told = to_the_end(ask(), aws()).evidence["correlation"]
    assert told == {
        "request_id": ID,
        "gateway_request_id": "gw-1",
        "reply": "found",
        "function_log": "found",
        "access_log": "found",
    }


def test_without_an_access_log_that_part_is_not_run() -> None:
    fake = aws()
    fake.gateway.keeps_access_logs = False
    assert to_the_end(ask(), fake).evidence["correlation"]["access_log"].startswith("NOT RUN")


def test_a_request_that_leaves_no_line_fails() -> None:
    fake = aws()
    fake.logs.lines.clear()
    asked = ask()
    for _ in range(4):
        asked = dataclasses.replace(asked, cursor=configure_monitoring.run(asked, fake.as_aws()).cursor)
    with pytest.raises(PhaseFailed) as caught:
        configure_monitoring.run(ask(after_s=61, cursor=asked.cursor), fake.as_aws())
    assert caught.value.code == "CorrelationMissing"


def test_a_cloud_without_saved_queries_says_not_run() -> None:
    fake = aws()
    fake.logs.has_queries = False
    assert to_the_end(ask(), fake).evidence["queries"][0].startswith("NOT RUN")


def test_the_dashboard_shows_what_the_issue_asks_for_and_costs_of_models_with_a_price() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    body = json.loads(fake.alarms.boards[NAMES.dashboard])
    titles = " ".join(widget["properties"]["title"] for widget in body["widgets"])
    for word in ("Requests", "Errors", "Latency", "first byte", "Tokens", "Cost", "Alarms"):
        assert word in titles
    costs = next(one for one in body["widgets"] if one["properties"]["title"].startswith("Cost"))
    labels = [row[0]["label"] for row in costs["properties"]["metrics"] if isinstance(row[0], dict)]
    assert labels == ["fast"]
    shown = next(one for one in body["widgets"] if one["type"] == "alarm")
    assert len(shown["properties"]["alarms"]) == len(WATCHED)


def test_the_fingerprint_follows_thresholds_recipients_and_missing_alarms_only() -> None:
    fake = aws()
    to_the_end(ask(), fake)

    def print_of(**other: Any) -> str:
        return configure_monitoring.fingerprint(ask(**other), fake.as_aws())

    same = print_of()
    assert print_of(config=Config(log_level="DEBUG")) == same
    assert print_of(config=Config(alarms=AlarmThresholds(throttles=1))) != same
    assert print_of(config=Config(notify=("a@b.example",))) != same
    fake.alarms.delete([NAMES.alarm("errors")])
    assert print_of() != same
