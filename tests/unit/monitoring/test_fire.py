"""Facts about test alarms: which are reset, and which queues go."""

from __future__ import annotations

from chalicelib.domain.names import Names
from chalicelib.monitoring import fire

from tests.fakes import FakeAws

NAMES = Names("dev")


def test_only_alarms_that_fire_for_a_test_are_reset() -> None:
    fake = FakeAws()
    fake.alarms.set_state("proxyctl/dev/errors", "ALARM", "Drill by proxyctl deployment d-1: nothing is wrong")
    fake.alarms.set_state("proxyctl/dev/first-byte", "OK", "Drill by proxyctl deployment d-1: nothing is wrong")
    fake.alarms.set_state("proxyctl/dev/throttles", "ALARM", "Threshold crossed")
    fake.alarms.set_state("proxyctl/dev-2/errors", "ALARM", "Drill by proxyctl deployment d-1: nothing is wrong")
    assert fire.reset_test_alarms(NAMES, fake.as_aws()) == ["proxyctl/dev/errors"]
    assert fake.alarms.states == {
        "proxyctl/dev/errors": "OK",
        "proxyctl/dev/first-byte": "OK",
        "proxyctl/dev/throttles": "ALARM",
        "proxyctl/dev-2/errors": "ALARM",
    }


def test_a_fired_alarm_is_recognised_as_a_test() -> None:
    fake = FakeAws()
    fire.fire(NAMES, [NAMES.alarm("errors")], "d-1", fake.as_aws())
    assert fake.alarms.states == {NAMES.alarm("errors"): "ALARM"}
    assert fire.reset_test_alarms(NAMES, fake.as_aws()) == [NAMES.alarm("errors")]


def test_test_queues_of_this_environment_go_with_their_subscriptions() -> None:
    fake = FakeAws()
    topic = fake.topics.ensure(NAMES.topic, {})
    fake.topics.subscribe(topic, "email", "ann@example.org")
    fake.topics.open_probe(topic, NAMES.probe("d-1"), {})
    other = fake.topics.open_probe(topic, Names("dev-2").probe("d-1"), {})
    assert fire.delete_test_queues(NAMES, fake.as_aws()) == 1
    assert list(fake.topics.queues) == [other.queue_url]
    assert set(fake.topics.subscribers(topic)) == {"ann@example.org", other.queue_arn}


def test_up_to_100_notifications_are_received_in_one_call() -> None:
    """SQS hands out at most ten messages at a time."""
    fake = FakeAws()
    queue = fake.topics.open_probe(fake.topics.ensure(NAMES.topic, {}), NAMES.probe("d-1"), {})
    names = [NAMES.alarm(f"a{number}") for number in range(101)]
    for name in names:
        fake.topics.publish(name, "ALARM", "Drill by proxyctl deployment d-1")
    assert fire.receive(queue, names, "d-1", fake.as_aws()) == set(names[:100])
    assert fire.receive(queue, names, "d-1", fake.as_aws()) == set(names[100:])
