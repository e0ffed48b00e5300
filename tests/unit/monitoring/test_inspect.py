"""Each part of an environment's monitoring that someone deletes, changes or adds is named and defined again.

One table for all of it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from chalicelib.domain.config import AlarmThresholds, Config
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.monitoring import apply, dashboard, inspect
from chalicelib.phases.configure_monitoring import run as configure_monitoring

from tests.fakes import FakeAws
from tests.fakes.endpoint import reply
from tests.fakes.requests import environment, next_call, release, request, results
from tests.fakes.standing import stand

NAMES = Names("dev")
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:alerts"
CONFIG = Config(notify=(QUEUE,), log_retention_days=30)
ERRORS = NAMES.alarm("errors")
OTHER = "arn:aws:sqs:eu-central-1:123456789012:other"
ID = "0123456789abcdef0123456789abcdef"
RESULTS = results(
    StackEvidence(stack_id="id", outputs={"StageName": "api", "ApiId": "api1"}, api_url="https://api1.example/api"),
    SecretEvidence(arn="arn:secret", targets={"fast": "gpt-4o-mini"}),
)


def ask(**other: Any) -> Request:
    good = dataclasses.replace(release("2"), config=dataclasses.asdict(CONFIG))
    stands = environment(live=good, last_good=good)
    defaults: dict[str, Any] = {"environment": stands, "results": RESULTS, "config": CONFIG}
    return request(**defaults | other)


@pytest.fixture
def aws() -> FakeAws:
    fake = stand(FakeAws())
    fake.endpoint.answer = lambda _sent: reply(200, {}, x_request_id=ID, x_proxy_overhead_ms="0.4")
    fake.logs.lines[NAMES.log_group] = [json.dumps({"request_id": ID, "gateway_request_id": "gw-1"})]
    fake.logs.lines[NAMES.access_log_group] = [json.dumps({"requestId": "gw-1", "status": "200"})]
    apply.apply(ask(), fake.as_aws())
    return fake


def change_alarm(aws: FakeAws) -> None:
    aws.alarms.put(dataclasses.replace(aws.alarms.defined[ERRORS], threshold=0.77), {})


def change_filter(aws: FakeAws) -> None:
    wanted = dashboard.filters(NAMES)[0]
    aws.logs.put_filter(dataclasses.replace(wanted, pattern='"nothing"'))


def change_dashboard(aws: FakeAws) -> None:
    body = json.loads(aws.alarms.boards[NAMES.dashboard])
    body["widgets"] = body["widgets"][1:]
    aws.alarms.boards[NAMES.dashboard] = json.dumps(body)


def drop_topic(aws: FakeAws) -> None:
    topic = aws.topics.find(NAMES.topic)
    assert topic
    aws.topics.delete(topic)


def topic_of(aws: FakeAws) -> str:
    return aws.topics.find(NAMES.topic) or ""


SPOILS: dict[str, tuple[Callable[[FakeAws], object], str]] = {
    "topic": (drop_topic, f"topic {NAMES.topic} was deleted"),
    "alarm deleted": (lambda aws: aws.alarms.delete([ERRORS]), f"alarm {ERRORS} was deleted"),
    "alarm changed": (change_alarm, f"alarm {ERRORS} was changed"),
    "alarm silenced": (lambda aws: aws.alarms.silenced.add(ERRORS), f"alarm {ERRORS} was silenced"),
    "alarm added": (
        lambda aws: aws.alarms.put(dataclasses.replace(aws.alarms.defined[ERRORS], name=NAMES.alarm("mine")), {}),
        f"alarm {NAMES.alarm('mine')} was added",
    ),
    "dashboard deleted": (lambda aws: aws.alarms.boards.clear(), "dashboard proxyctl was deleted"),
    "dashboard changed": (change_dashboard, "dashboard proxyctl was changed"),
    "dashboard replaced": (
        lambda aws: aws.alarms.boards.update({NAMES.dashboard: '{"widgets": [{"type": "text"}]}'}),
        "dashboard proxyctl was changed",
    ),
    "filter deleted": (
        lambda aws: aws.logs.delete_filter(NAMES.log_group, NAMES.alarm("timeouts")),
        f"metric filter {NAMES.alarm('timeouts')} was deleted",
    ),
    "filter changed": (change_filter, f"metric filter {NAMES.alarm('timeouts')} was changed"),
    "query deleted": (
        lambda aws: aws.logs.delete_query(aws.logs.queries(NAMES.queries)[0].id),
        f"saved query {NAMES.queries}",
    ),
    "recipient removed": (
        lambda aws: aws.topics.unsubscribe(aws.topics.subscribers(topic_of(aws))[QUEUE]),
        f"recipient {QUEUE} was unsubscribed",
    ),
    "recipient added": (
        lambda aws: aws.topics.subscribe(topic_of(aws), "sqs", OTHER),
        f"recipient {OTHER} was added",
    ),
    "retention": (
        lambda aws: aws.logs.set_retention(NAMES.log_group, 1),
        f"retention of log group {NAMES.log_group} was changed to 1",
    ),
}


def deploy(aws: FakeAws, current: Request) -> tuple[str, Any]:
    """Summary and evidence at the end."""
    for _ in range(9):
        result: Result[Any] = configure_monitoring.run(current, aws.as_aws())
        if result.status is not Status.IN_PROGRESS:
            return result.summary, result.evidence
        current = next_call(current, result)
    raise AssertionError("it does not end")


def test_what_nobody_touched_has_no_difference(aws: FakeAws) -> None:
    assert inspect.differences(ask(), aws.as_aws()) == ()


@pytest.mark.parametrize("what", SPOILS)
def test_what_someone_touched_is_named_and_defined_again(aws: FakeAws, what: str) -> None:
    spoil, named = SPOILS[what]
    same = configure_monitoring.fingerprint(ask(), aws.as_aws())
    spoil(aws)
    assert configure_monitoring.fingerprint(ask(), aws.as_aws()) != same
    summary, evidence = deploy(aws, ask())
    assert named in summary
    assert any(line.startswith(named) for line in evidence.repaired)
    assert inspect.differences(ask(), aws.as_aws()) == ()
    assert configure_monitoring.fingerprint(ask(), aws.as_aws()) == same


def test_a_first_deploy_repairs_nothing(aws: FakeAws) -> None:
    drop_topic(aws)
    summary, evidence = deploy(aws, ask(environment=environment()))
    assert evidence.repaired is None
    assert "defined again" not in summary


@pytest.mark.parametrize("of", ["live", "new"])
def test_thresholds_of_the_live_release_and_of_this_deployment_are_both_as_defined(aws: FakeAws, of: str) -> None:
    new = dataclasses.replace(CONFIG, alarms=AlarmThresholds(throttles=33), log_retention_days=60)
    if of == "new":
        apply.set_alarms(new, "api", NAMES, aws.as_aws())
        for group in (NAMES.log_group, NAMES.access_log_group):
            aws.logs.set_retention(group, 60)
    assert inspect.differences(ask(config=new), aws.as_aws()) == ()


def test_alarms_and_prices_of_other_environments_are_no_difference_of_the_dashboard(aws: FakeAws) -> None:
    others = {"other-model": (1.0, 2.0)}
    body = apply.dashboard_body(ask(), aws.as_aws(), ["arn:1", "arn:2"], others)
    aws.alarms.put_dashboard(NAMES.dashboard, body)
    assert inspect.differences(ask(), aws.as_aws()) == ()
