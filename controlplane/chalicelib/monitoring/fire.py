"""Fires every alarm, listens for its notification on a queue of its own, and sets it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.aws.alarms import AlarmState
from chalicelib.domain.aws.topics import Probe
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

_PATIENCE_S = 90
_RECEIVE_S = 1
_DRILL = "Drill by proxyctl"
_ROUNDS = 10  # receives a call: a queue hands out ten messages at a time, or fewer


def fire(made: Mapping[str, Any], request: Request, aws: Aws) -> Result:
    """A queue listens on the topic while every alarm is fired."""
    names = Names(request.environment.name)
    probe = aws.topics.open_probe(made["topic"], names.probe(request.deployment_id), names.tags)
    for name in made["alarms"]:
        # Via OK: an alarm that is in ALARM already would not change, and so not tell.
        aws.alarms.set_state(name, "OK", _reason(request))
        aws.alarms.set_state(name, "ALARM", _reason(request))
    return Result.in_progress(
        f"{len(made['alarms'])} alarms made and fired; waiting for their notifications",
        poll_after_s=1,
        cursor={
            "step": "listen",
            "made": made,
            "queue_url": probe.queue_url,
            "queue_arn": probe.queue_arn,
            "subscription_arn": probe.subscription_arn,
            "heard": [],
        },
        **made,
    )


def _reason(request: Request) -> str:
    return f"{_DRILL} deployment {request.deployment_id}: nothing is wrong, this tests the notification"


def listen(request: Request, aws: Aws) -> Result:
    cursor = request.cursor
    probe = Probe(str(cursor["queue_url"]), str(cursor["queue_arn"]), str(cursor["subscription_arn"]))
    made: Mapping[str, Any] = cursor["made"]
    heard = {*cursor["heard"]}
    for _ in range(_ROUNDS):
        messages = aws.topics.receive(probe, _RECEIVE_S)
        heard |= {str(one["AlarmName"]) for one in messages if _is_drill(one, request)}
        if not messages or heard >= {*made["alarms"]}:
            break
    missing = [name for name in made["alarms"] if name not in heard]
    since = float(cursor.get("since", request.elapsed_s))
    if missing and request.elapsed_s - since < _PATIENCE_S:
        asked = int(cursor.get("asked", 0))
        return Result.in_progress(
            f"{len(heard)} of {len(made['alarms'])} notifications have arrived",
            poll_after_s=next_poll_s(asked),
            cursor={**cursor, "heard": sorted(heard), "since": since, "asked": asked + 1},
            **made,
        )
    # Also when it failed: nobody's alarm is left ringing for a drill.
    for name in made["alarms"]:
        aws.alarms.set_state(name, "OK", _reason(request))
    aws.topics.close_probe(probe)
    if missing:
        raise PhaseFailed(
            f"fired, but no notification arrived within {_PATIENCE_S} s: {', '.join(missing)}",
            code="NotificationMissing",
            remedy=f"See whether CloudWatch may publish to the topic {made['topic']}, and whether it is encrypted.",
            evidence={"heard": sorted(heard), "missing": missing},
        )
    return Result.in_progress(
        f"All {len(heard)} notifications have arrived; following one request through the logs",
        poll_after_s=1,
        cursor={"step": "correlate", "made": {**made, "heard": sorted(heard)}},
        **made,
    )


def hush(names: Names, aws: Aws) -> list[str]:
    """Ends what a drill that was cut short has left: nobody is rung up for nothing, and no queue listens on.

    Answers the alarms that still rang for it."""
    ringing = [alarm.name for alarm in aws.alarms.find(names.alarm("")) if _rings_for_a_drill(alarm)]
    for name in ringing:
        aws.alarms.set_state(name, "OK", f"{_DRILL}: it was cut short")
    close_probes(names, aws)
    return ringing


def _rings_for_a_drill(alarm: AlarmState) -> bool:
    return alarm.state == "ALARM" and alarm.reason.startswith(_DRILL)


def close_probes(names: Names, aws: Aws) -> int:
    """Queues of drills, and the topic's subscriptions to them, which outlive a queue; answers how many queues."""
    topic = aws.topics.find(names.topic)
    for endpoint, subscription in (dict(aws.topics.subscribers(topic)) if topic else {}).items():
        if endpoint.rpartition(":")[2].startswith(names.probes):
            aws.topics.unsubscribe(subscription)
    queues = list(aws.topics.probes(names.probes))
    for queue in queues:
        aws.topics.delete_queue(queue)
    return len(queues)


def _is_drill(message: Mapping[str, object], request: Request) -> bool:
    told = str(message.get("NewStateReason", ""))
    return message.get("NewStateValue") == "ALARM" and request.deployment_id in told
