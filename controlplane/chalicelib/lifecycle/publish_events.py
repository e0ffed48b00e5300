"""Publishes every state change: reads the table's stream, so that exactly what is on record is published.

Each event goes to EventBridge (a rule forwards it to SNS). When that fails, the record is answered as a failed item:
Lambda retries it together with all later records, so that the order stays. Then it goes to the environment's webhook.
A webhook that does not take it gets it again from a queue: the stream goes on, so that one receiver holds up no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.config import Webhook
from chalicelib.domain.errors import AwsCallFailed, NotFound, RolloutError
from chalicelib.domain.model import Deployment
from chalicelib.domain.names import Names
from chalicelib.domain.times import Clock
from chalicelib.domain.webhook_url import is_on_this_machine
from chalicelib.ports import Aws

from .events import DETAIL_TYPE, SOURCE, compose, sign

_TIMEOUT_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2, 600
_QUEUE = "aws:sqs"


def publish(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, object]:
    """event: a DynamoDB stream batch, or a batch of the webhooks' queue. Answers `{"batchItemFailures": […]}`: of the
    stream the first record that could not be published (those before it are done), of the queue every message that no
    receiver took."""
    records = event.get("Records", [])
    if records and records[0].get("eventSource") == _QUEUE:
        failed = [record["messageId"] for record in records if not _is_taken(record, aws, clock)]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
    for record in records:
        try:
            _publish_record(record["dynamodb"]["Keys"], aws, clock)
        except RolloutError:
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def _publish_record(keys: Mapping[str, Mapping[str, str]], aws: Aws, clock: Clock) -> None:
    deployment_id, key = keys["pk"]["S"].partition("#")[2], keys["sk"]["S"]
    if not key.startswith("EVENT#"):
        return
    try:
        deployment = aws.records.deployment(deployment_id)
        event = compose(deployment, aws.records.event(deployment_id, key))
    except NotFound:
        return  # The deployment's record no longer exists, so its environment and webhook are unknown.
    aws.events.put(SOURCE, DETAIL_TYPE, event)
    if deployment.config.webhook:
        try:
            _call_webhook(deployment, deployment.config.webhook, event, aws, clock)
        except RolloutError:
            aws.retries.add({"deployment_id": deployment_id, "event": key})


def _is_taken(record: Mapping[str, Any], aws: Aws, clock: Clock) -> bool:
    """Call the webhook again; when it fails, the next attempt follows after a pause that doubles."""
    message = json.loads(record["body"])
    try:
        deployment = aws.records.deployment(message["deployment_id"])
        event = compose(deployment, aws.records.event(deployment.id, message["event"]))
    except NotFound:
        return True  # The record has gone since, and with it the event.
    if deployment.config.webhook is None:
        return True
    try:
        _call_webhook(deployment, deployment.config.webhook, event, aws, clock)
    except RolloutError:
        attempts = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
        aws.retries.postpone(record["receiptHandle"], pause_s(attempts))
        return False
    return True


def pause_s(attempts: int) -> int:
    """Seconds until the next attempt: 2, 4, 8, … up to ten minutes."""
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S << min(attempts, 10) - 1)


def _call_webhook(
    deployment: Deployment, webhook: Webhook, event: Mapping[str, object], aws: Aws, clock: Clock
) -> None:
    """Raises a RolloutError when the receiver did not take the event: only a 2xx says that it did."""
    environment = deployment.environment
    key = aws.at(deployment.config.target, "tell").secrets.read(Names(environment).webhook_secret).key
    if not key:
        raise AwsCallFailed(f"the signing key of {environment}'s webhook is empty")
    body = json.dumps(event).encode()
    headers = {
        "content-type": "application/json",
        "proxyctl-signature": sign(key, int(clock().timestamp()), body),
    }
    public = not is_on_this_machine(webhook.url)  # as in the embedded cloud, which alone may have such a one
    reply = aws.endpoint.call("POST", webhook.url, headers, body, signed=False, timeout_s=_TIMEOUT_S, public=public)
    if not 200 <= reply.status < 300:
        raise AwsCallFailed(f"the webhook of {environment} answered {reply.status}")
