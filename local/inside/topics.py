"""What SNS does not deliver: events past a conditioned policy, and raw messages with too many attributes."""

import logging
from typing import Any

from local.inside.attributes import MOST
from local.inside.queues import conditioned

log = logging.getLogger("strict")


def refuse_conditioned_topics(eventbridge: Any, sns: Any) -> None:
    """EventBridge drops what goes to a topic whose policy admits it under a Condition only."""
    dispatch = eventbridge._dispatch_to_sns

    def deliver(arn: str, payload: Any) -> None:
        topic = sns._topic_by_arn_any_scope(arn) or {}
        if conditioned(str((topic.get("attributes") or {}).get("Policy", ""))):
            log.warning("EventBridge does not deliver to %s: no statement without Condition lets it publish", arn)
            return
        dispatch(arn, payload)

    eventbridge._dispatch_to_sns = deliver


def drop_crowded_messages(sns: Any) -> None:
    """Raw delivery to SQS drops a message with more attributes than SQS takes."""
    deliver = sns._deliver_to_sqs

    def deliver_to_sqs(endpoint: str, envelope: str, raw: bool, *arguments: Any, **named: Any) -> None:
        count = len(named.get("message_attributes") or {})
        if raw and count > MOST:
            log.warning("SNS drops a raw message to %s: %d attributes", endpoint, count)
            return
        deliver(endpoint, envelope, raw, *arguments, **named)

    sns._deliver_to_sqs = deliver_to_sqs
