"""Facts about configure_monitoring: what it creates, that it tests every alarm, and that no test alarm stays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.config import AlarmThresholds, Config
from chalicelib.domain.errors import BadRequest, PhaseFailed
from chalicelib.domain.evidence.monitoring import Correlation, MonitoringEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Status
from chalicelib.monitoring import dashboard, fire
from chalicelib.phases.configure_monitoring import run as configure_monitoring

from tests.fakes import FakeAws
from tests.fakes.endpoint import reply
from tests.fakes.requests import environment, next_call, request, results

NAMES = Names("dev")
ID = "req-1"
OUTPUTS = {"ApiUrl": "https://api.example/api", "ApiId": "api1", "StageName": "api"}
RESULTS = results(
    SecretEvidence(targets={"fast": "gpt-4o-mini", "own": "unknown-model"}),
    StackEvidence(stack_id="s", outputs=OUTPUTS),
)
WATCHED = {
    "errors",
    "function-errors",
    "overhead",
    "throttles",
    "client-errors",
    "server-errors",
    "first-byte",
    "secret-failures",
}


def aws() -> FakeAws:
    fake = FakeAws()
    fake.endpoint.answer = lambda _sent: reply(200, {}, x_request_id=ID, x_proxy_overhead_ms="0.4")
    for group in (NAMES.log_group, NAMES.access_log_group):
        fake.logs.add(group)
    fake.logs.lines[NAMES.log_group] = ["START", json.dumps({"request_id": ID, "gateway_request_id": "gw-1"})]
    fake.logs.lines[NAMES.access_log_group] = [json.dumps({"requestId": "gw-1", "status": "200"})]
    return fake


def ask(**other: Any) -> Request:
    defaults: dict[str, Any] = {"environment": environment(), "results": RESULTS}
    return request(**defaults | other)


def to_the_end(current: Request, fake: FakeAws) -> MonitoringEvidence:
    """Calls again with each cursor, as the state machine does; the evidence at the end."""
    for _ in range(20):
        result = configure_monitoring.run(current, fake.as_aws())
        if result.status is not Status.IN_PROGRESS:
            assert (result.status, result.evidence is None) == (Status.SUCCEEDED, False)
            return result.evidence or MonitoringEvidence()
        current = next_call(current, result)
    raise AssertionError(result.summary)


def after(calls: int, fake: FakeAws) -> Request:
    """The request that follows so many calls, all at the same time."""
    current = ask()
    for _ in range(calls):
        current = next_call(current, configure_monitoring.run(current, fake.as_aws()))
    return current


def test_every_alarm_is_created_fired_notified_and_reset() -> None:
    fake = aws()
    result = to_the_end(ask(), fake)
    names = {NAMES.alarm(what) for what in WATCHED}
    assert set(fake.alarms.defined) == names
    assert set(result.heard or ()) == names
    assert set(fake.alarms.states.values()) == {"OK"}
    assert fake.topics.queues == {}


def test_an_alarm_that_is_in_alarm_already_is_tested_too() -> None:
    """An alarm that is set to the state it has sends no notification."""
    fake = aws()
    to_the_end(ask(), fake)
    fake.alarms.states[NAMES.alarm("errors")] = "ALARM"
    assert NAMES.alarm("errors") in (to_the_end(ask(), fake).heard or ())


def test_a_lost_notification_fails_names_the_alarm_and_leaves_none_in_alarm() -> None:
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("first-byte")}
    waiting = after(3, fake)
    with pytest.raises(PhaseFailed, match=r"proxyctl/dev/first-byte$") as caught:
        configure_monitoring.run(ask(after_s=91, cursor=waiting.cursor), fake.as_aws())
    assert caught.value.evidence["missing"] == (NAMES.alarm("first-byte"),)
    assert set(caught.value.evidence["heard"]) == {NAMES.alarm(what) for what in WATCHED - {"first-byte"}}
    assert set(fake.alarms.states.values()) == {"OK"}
    assert fake.topics.queues == {}


def test_a_notification_may_take_up_to_90_seconds() -> None:
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("first-byte")}
    waiting = after(2, fake)
    in_time = configure_monitoring.run(ask(after_s=89.9, cursor=waiting.cursor), fake.as_aws())
    assert (in_time.status, in_time.summary) == (Status.IN_PROGRESS, "7 of 8 notifications have arrived")
    with pytest.raises(PhaseFailed):
        configure_monitoring.run(ask(after_s=90, cursor=waiting.cursor), fake.as_aws())


def test_the_time_before_the_first_wait_does_not_count() -> None:
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("first-byte")}
    first = configure_monitoring.run(ask(after_s=100, cursor=after(1, fake).cursor), fake.as_aws())
    assert first.status is Status.IN_PROGRESS
    assert configure_monitoring.run(next_call(ask(after_s=189), first), fake.as_aws()).status is Status.IN_PROGRESS


def test_the_pauses_between_two_looks_grow() -> None:
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("first-byte")}
    current, pauses = after(1, fake), []
    for _ in range(5):
        result = configure_monitoring.run(current, fake.as_aws())
        pauses.append(result.poll_after_s)
        current = next_call(current, result)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_a_notification_that_got_lost_is_sent_again_every_15_seconds() -> None:
    """Issue 10, row d: SNS drops what a queue's policy does not let it deliver yet."""
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("first-byte")}
    waiting = after(2, fake)
    fake.topics.deaf = set()
    early = configure_monitoring.run(ask(after_s=14.9, cursor=waiting.cursor), fake.as_aws())
    assert early.summary == "7 of 8 notifications have arrived"
    sent_again = configure_monitoring.run(next_call(ask(after_s=15), early), fake.as_aws())
    assert sent_again.status is Status.IN_PROGRESS
    heard = configure_monitoring.run(next_call(ask(after_s=16), sent_again), fake.as_aws())
    assert heard.summary.startswith("All 8 notifications have arrived")


def test_only_an_alarm_that_is_in_alarm_is_set_to_ok_first() -> None:
    """SetAlarmState answers three times a second."""
    fake = aws()
    fake.alarms.states[NAMES.alarm("errors")] = "ALARM"
    changes: list[tuple[str, str]] = []
    fake.alarms.notify = lambda name, state, _reason: changes.append((name.rpartition("/")[2], state))
    configure_monitoring.run(ask(), fake.as_aws())
    assert [state for name, state in changes if name == "errors"] == ["OK", "ALARM"]
    assert [state for name, state in changes if name == "first-byte"] == ["ALARM"]


def test_a_notification_of_another_test_does_not_count() -> None:
    fake = aws()
    fake.topics.deaf = {NAMES.alarm("first-byte")}
    waiting = after(1, fake)
    fake.topics.deaf = set()
    fake.topics.publish(NAMES.alarm("first-byte"), "ALARM", "Drill by proxyctl deployment d-other")
    result = configure_monitoring.run(waiting, fake.as_aws())
    assert result.summary == "7 of 8 notifications have arrived"


def test_a_second_run_creates_nothing_twice() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    first = (dict(fake.alarms.defined), dict(fake.logs.saved), dict(fake.logs.counting), dict(fake.alarms.boards))
    to_the_end(ask(), fake)
    assert (fake.alarms.defined, fake.logs.saved, fake.logs.counting, fake.alarms.boards) == first


def test_an_alarm_of_an_older_version_is_removed_and_another_environments_is_not() -> None:
    fake = aws()
    fake.alarms.states |= {NAMES.alarm("forgotten"): "OK", Names("dev-2").alarm("errors"): "OK"}
    assert to_the_end(ask(), fake).removed_alarms == (NAMES.alarm("forgotten"),)
    assert Names("dev-2").alarm("errors") in fake.alarms.states


def test_thresholds_come_from_the_configuration() -> None:
    fake = aws()
    to_the_end(ask(config=Config(alarms=AlarmThresholds(error_rate=0.2, throttles=3, first_byte_p99_ms=7))), fake)
    by_name = {name.rpartition("/")[2]: alarm.threshold for name, alarm in fake.alarms.defined.items()}
    assert (by_name["errors"], by_name["function-errors"], by_name["throttles"], by_name["first-byte"]) == (
        0.2,
        0.2,
        3,
        7,
    )


def test_recipients_are_subscribed_once_and_those_who_have_not_confirmed_are_named() -> None:
    fake = aws()
    notify = ("ops@example.com", "https://hooks.example.com/x", "arn:aws:sqs:eu-central-1:123456789012:inbox")
    result = to_the_end(ask(config=Config(notify=notify)), fake)
    assert result.unconfirmed == ("ops@example.com",)
    to_the_end(ask(config=Config(notify=notify)), fake)
    assert set(fake.topics.kept[result.topic]) == set(notify)


def test_recipients_are_left_out_of_alarm_tests_also_those_of_an_older_version() -> None:
    """Issue 10, row x: a test pages nobody; only the test queue has no filter."""
    fake = aws()
    inbox, hook = "arn:aws:sqs:eu-central-1:123456789012:inbox", "https://hooks.example.com/x"
    topic = fake.topics.ensure(NAMES.topic, {})
    fake.topics.subscribe(topic, "sqs", inbox)
    to_the_end(ask(config=Config(notify=(inbox, hook))), fake)
    subscriptions = fake.topics.subscribers(topic)
    assert fake.topics.filters == {subscriptions[inbox]: fire.WITHOUT_TESTS, subscriptions[hook]: fire.WITHOUT_TESTS}


def test_a_recipient_of_an_unsupported_kind_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="'pager'") as caught:
        to_the_end(ask(config=Config(notify=("pager",))), aws())
    assert caught.value.field == "config.notify"


def test_a_retention_that_was_changed_by_hand_is_corrected() -> None:
    fake = aws()
    fake.logs.add(NAMES.log_group, None)
    to_the_end(ask(), fake)
    assert fake.logs.kept[NAMES.log_group].retention_days == 14


def test_one_request_is_found_in_reply_function_log_and_access_log() -> None:
    assert to_the_end(ask(), aws()).correlation == Correlation(ID, "gw-1", "found", "found", "found")


def test_without_an_access_log_that_part_is_not_run() -> None:
    fake = aws()
    fake.gateway.keeps_access_logs = False
    correlation = to_the_end(ask(), fake).correlation
    assert correlation is not None
    assert correlation.access_log.startswith("NOT RUN: the stage writes no access log")


def test_an_access_log_without_the_line_is_not_run_after_60_seconds() -> None:
    fake = aws()
    fake.logs.lines[NAMES.access_log_group] = []
    waiting = after(3, fake)
    in_time = configure_monitoring.run(ask(after_s=60, cursor=waiting.cursor), fake.as_aws())
    late = configure_monitoring.run(ask(after_s=60.1, cursor=waiting.cursor), fake.as_aws())
    assert (in_time.status, late.status) == (Status.IN_PROGRESS, Status.SUCCEEDED)
    assert late.evidence is not None
    assert late.evidence.correlation == Correlation(
        ID, "gw-1", "found", "found", "NOT RUN: the access log had no line within 60 s"
    )


def test_a_request_that_leaves_no_line_fails() -> None:
    fake = aws()
    fake.logs.lines.clear()
    waiting = after(4, fake)
    with pytest.raises(PhaseFailed) as caught:
        configure_monitoring.run(ask(after_s=61, cursor=waiting.cursor), fake.as_aws())
    assert caught.value.code == "CorrelationMissing"


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_what_api_gateway_answers_itself_is_asked_again_until_the_proxy_answers(status: int) -> None:
    """Issue 10, row bb: its x-request-id, if any, is in no log of the proxy."""
    fake = aws()
    answers = iter(
        [reply(status, {}, x_request_id="gateway's"), reply(200, {}, x_request_id=ID, x_proxy_overhead_ms="1")]
    )
    fake.endpoint.answer = lambda _sent: next(answers)
    assert to_the_end(ask(), fake).correlation == Correlation(ID, "gw-1", "found", "found", "found")


def test_a_proxy_that_does_not_answer_for_60_seconds_fails_and_says_what_came() -> None:
    fake = aws()
    fake.endpoint.answer = lambda _sent: reply(403, {})
    waiting = after(3, fake)
    assert configure_monitoring.run(ask(after_s=60, cursor=waiting.cursor), fake.as_aws()).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed, match="API Gateway answered 403 itself") as caught:
        configure_monitoring.run(ask(after_s=60.1, cursor=waiting.cursor), fake.as_aws())
    assert caught.value.code == "NoAnswer"


def test_a_cloud_without_saved_queries_says_not_run() -> None:
    fake = aws()
    fake.logs.has_queries = False
    assert to_the_end(ask(), fake).queries[0].startswith("NOT RUN")


def test_the_dashboard_has_its_graphs_and_costs_of_models_with_a_price() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    body = json.loads(fake.alarms.boards[NAMES.dashboard])
    titles = " ".join(widget["properties"]["title"] for widget in body["widgets"])
    for word in ("Requests", "Errors", "Latency", "first byte", "Tokens", "Cost", "Alarms"):
        assert word in titles
    costs = next(graph for graph in body["widgets"] if graph["properties"]["title"].startswith("Cost"))
    labels = [row[0]["label"] for row in costs["properties"]["metrics"] if isinstance(row[0], dict)]
    assert labels == ["fast"]
    shown = next(widget for widget in body["widgets"] if widget["type"] == "alarm")
    assert len(shown["properties"]["alarms"]) == len(WATCHED)


def test_environments_share_one_dashboard_whose_reader_chooses_the_environment() -> None:
    """Issue 10, row y."""
    fake = aws()
    to_the_end(ask(), fake)
    mine = fake.alarms.boards[NAMES.dashboard]
    for names in (Names("shop"), Names("dev-2")):
        for group in (names.log_group, names.access_log_group):
            fake.logs.add(group)
        fake.logs.lines[names.log_group] = fake.logs.lines[NAMES.log_group]
        fake.logs.lines[names.access_log_group] = fake.logs.lines[NAMES.access_log_group]
        to_the_end(ask(environment=replace(environment(), name=names.environment)), fake)
    assert fake.alarms.boards == {NAMES.dashboard: mine}
    body = json.loads(mine)
    (variable,) = body["variables"]
    assert variable["pattern"] == "the-environment"
    assert '"dev"' not in json.dumps(body["widgets"])
    alarms = next(widget for widget in body["widgets"] if widget["type"] == "alarm")["properties"]["alarms"]
    assert alarms
    assert all(":alarm:proxyctl/the-environment/" in arn for arn in alarms)


def test_prices_that_another_environment_has_written_stay_on_the_dashboard() -> None:
    fake = aws()
    to_the_end(ask(), fake)
    priced = results(SecretEvidence(targets={"big": "gpt-4o"}), StackEvidence(stack_id="s", outputs=OUTPUTS))
    to_the_end(ask(results=priced), fake)
    assert set(dashboard.prices_of(fake.alarms.boards[NAMES.dashboard])) == {"fast", "big"}
    assert dashboard.prices_of(None) == {}


def test_the_fingerprint_follows_thresholds_recipients_and_missing_alarms_only() -> None:
    fake = aws()
    to_the_end(ask(), fake)

    def fingerprint_of(**other: Any) -> str:
        return configure_monitoring.fingerprint(ask(**other), fake.as_aws())

    same = fingerprint_of()
    assert fingerprint_of(config=Config(log_level="DEBUG")) == same
    assert fingerprint_of(config=Config(alarms=AlarmThresholds(throttles=1))) != same
    assert fingerprint_of(config=Config(notify=("a@b.example",))) != same
    fake.alarms.delete([NAMES.alarm("errors")])
    assert fingerprint_of() != same


def test_who_is_taken_out_of_notify_is_unsubscribed_and_probes_and_the_unconfirmed_stay() -> None:
    fake = aws()
    a, b, c = (f"arn:aws:sqs:eu-central-1:123456789012:{name}" for name in "abc")
    topic = to_the_end(ask(config=Config(notify=(a, b))), fake).topic
    probe = "arn:aws:sqs:eu-central-1:123456789012:proxyctl_dev_probe_d-other"
    fake.topics.subscribe(topic, "sqs", probe)
    fake.topics.subscribe(topic, "email", "pending@example.com")
    to_the_end(ask(config=Config(notify=(c,))), fake)
    assert set(fake.topics.subscribers(topic)) == {c, probe, "pending@example.com"}


def test_recipients_of_the_live_release_stay_until_another_one_is_released() -> None:
    """Whoever is on call gets the alarms of what users have, also when this deployment ends before the shift."""
    fake = aws()
    a, b, c, added = (f"arn:aws:sqs:eu-central-1:123456789012:{name}" for name in ("a", "b", "c", "by-hand"))
    good = Release("2", "d-old", "t", config={"notify": [a, b]})
    stands = environment(live=good, last_good=good)
    topic = fake.topics.ensure(NAMES.topic, {})
    for recipient in (a, b, added):
        fake.topics.subscribe(topic, "sqs", recipient)
    current = ask(environment=stands, config=Config(notify=(b, c)))
    ended = to_the_end(current, fake)
    assert set(fake.topics.subscribers(topic)) == {a, b, c}
    assert ended.repaired is not None
    assert f"recipient {added} was added" in ended.repaired
    before = configure_monitoring.fingerprint(current, fake.as_aws())
    fake.topics.unsubscribe(fake.topics.subscribers(topic)[a])
    assert configure_monitoring.fingerprint(current, fake.as_aws()) == before, "apply_settings takes them off"
