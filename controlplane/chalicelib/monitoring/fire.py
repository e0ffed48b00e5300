"""Fires alarms to test their notifications, receives the notifications, and resets the alarms afterwards.

Recipients do not get them: their subscriptions carry a filter that leaves test notifications out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chalicelib.domain.aws.alarms import AlarmState
from chalicelib.domain.aws.topics import Probe
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

# How the reason of a test alarm begins. It stays as it is: alarms fired by an older version are recognised by it, and
# recipients may filter on it.
_TEST_REASON = "Drill by proxyctl"
_RECEIVE_S = 1
_RECEIVES = 10  # receive calls a phase call: SQS hands out at most ten messages at a time


# The SNS filter policy on the message body for everyone but the test queue. `exists: false` lets messages through that
# are no alarm's. Source: SNS developer guide, "Subscription filter policies".
WITHOUT_TESTS: Mapping[str, object] = {
    "NewStateReason": [{"anything-but": {"prefix": _TEST_REASON}}, {"exists": False}],
}


def fire(names: Names, alarms: Collection[str], deployment_id: str, aws: Aws) -> None:
    """Set each of these alarms of the environment to ALARM.

    One that is in ALARM goes via OK, because only a change of state sends a notification. SetAlarmState answers three
    times a second, so that the others are spared the second call.
    """
    firing = {alarm.name for alarm in aws.alarms.find(names.alarm("")) if alarm.state == "ALARM"}
    for name in alarms:
        if name in firing:
            aws.alarms.set_state(name, "OK", _reason(deployment_id))
        aws.alarms.set_state(name, "ALARM", _reason(deployment_id))


def reset(alarms: Collection[str], deployment_id: str, aws: Aws) -> None:
    """Set each alarm (by name) to OK."""
    for name in alarms:
        aws.alarms.set_state(name, "OK", _reason(deployment_id))


def receive(queue: Probe, alarms: Collection[str], deployment_id: str, aws: Aws) -> set[str]:
    """Names of the alarms whose test notification of this deployment is in the queue now.

    Stops early when the queue is empty or all of `alarms` have been received; takes at most about ten seconds.
    """
    received: set[str] = set()
    for _ in range(_RECEIVES):
        messages = aws.topics.receive(queue, _RECEIVE_S)
        received |= {str(message["AlarmName"]) for message in messages if _is_test(message, deployment_id)}
        if not messages or received >= set(alarms):
            break
    return received


def _reason(deployment_id: str) -> str:
    return f"{_TEST_REASON} deployment {deployment_id}: nothing is wrong, this tests the notification"


def _is_test(message: Mapping[str, object], deployment_id: str) -> bool:
    reason = str(message.get("NewStateReason", ""))
    return message.get("NewStateValue") == "ALARM" and deployment_id in reason


def reset_test_alarms(names: Names, aws: Aws) -> list[str]:
    """Reset test alarms to OK and delete the test queues, after a test that did not end.

    Returns the names of the alarms that were reset. An alarm that fired for another reason stays in ALARM.
    """
    firing = [alarm.name for alarm in aws.alarms.find(names.alarm("")) if _fires_for_test(alarm)]
    for name in firing:
        aws.alarms.set_state(name, "OK", f"{_TEST_REASON}: the test did not end")
    delete_test_queues(names, aws)
    return firing


def _fires_for_test(alarm: AlarmState) -> bool:
    return alarm.state == "ALARM" and alarm.reason.startswith(_TEST_REASON)


def delete_test_queues(names: Names, aws: Aws) -> int:
    """Delete the queues of alarm tests and their subscriptions, which outlive a queue; returns how many queues."""
    topic = aws.topics.find(names.topic)
    for endpoint, subscription in (dict(aws.topics.subscribers(topic)) if topic else {}).items():
        if endpoint.rpartition(":")[2].startswith(names.probes):
            aws.topics.unsubscribe(subscription)
    queues = list(aws.topics.probes(names.probes))
    for queue in queues:
        aws.topics.delete_queue(queue)
    return len(queues)
