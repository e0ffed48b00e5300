"""Publishes every state change: reads the table's stream, so that exactly what is on record is published.

Each event goes to EventBridge (a rule forwards it to SNS) and to the environment's webhook. When that fails, the record
is answered as a failed item: Lambda retries it together with all later records, so that the order stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.config import Webhook
from chalicelib.domain.errors import AwsCallFailed, NotFound, RolloutError
from chalicelib.domain.names import Names
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .events import DETAIL_TYPE, SOURCE, compose, sign

_TIMEOUT_S = 5.0


def publish(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, object]:
    """event: a DynamoDB stream batch. Answers `{"batchItemFailures": […]}` with the first record that could not be
    published; those before it are done."""
    for record in event.get("Records", []):
        try:
            _publish_record(record["dynamodb"]["Keys"], aws, clock)
        except NotFound:
            continue  # The deployment's record no longer exists, so its environment and webhook are unknown.
        except RolloutError:
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def _publish_record(keys: Mapping[str, Mapping[str, str]], aws: Aws, clock: Clock) -> None:
    deployment_id = keys["pk"]["S"].partition("#")[2]
    if not keys["sk"]["S"].startswith("EVENT#"):
        return
    deployment = aws.records.deployment(deployment_id)
    event = compose(deployment, aws.records.event(deployment_id, keys["sk"]["S"]))
    aws.events.put(SOURCE, DETAIL_TYPE, event)
    if deployment.config.webhook:
        _call_webhook(deployment.config.webhook, deployment.environment, event, aws, clock)


def _call_webhook(webhook: Webhook, environment: str, event: Mapping[str, object], aws: Aws, clock: Clock) -> None:
    key = aws.secrets.read(Names(environment).webhook_secret).text
    body = json.dumps(event).encode()
    headers = {
        "content-type": "application/json",
        "proxyctl-signature": sign(key, int(clock().timestamp()), body),
    }
    reply = aws.endpoint.call("POST", webhook.url, headers, body, signed=False, timeout_s=_TIMEOUT_S)
    if reply.status >= 500 or reply.status == 429:
        raise AwsCallFailed(f"the webhook of {environment} answered {reply.status}")
