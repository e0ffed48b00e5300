"""Tells the world of every state change: reads the table's stream, so that what is on record is what is told.

Each event goes to EventBridge (a rule hands it on to SNS) and to the environment's webhook. What fails is answered as a
failed item: Lambda tries it again, with all that came after it, so that the order stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import AwsCallFailed, NotFound, RolloutError
from chalicelib.domain.model import Deployment
from chalicelib.domain.names import Names
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .events import DETAIL_TYPE, SOURCE, event_of, signature

_TIMEOUT_S = 5.0


def run(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, Any]:
    """`{"batchItemFailures": […]}`, with the first record that could not be told; those before it are done."""
    for record in event.get("Records", []):
        try:
            _tell(record["dynamodb"]["Keys"], aws, clock)
        except NotFound:
            continue  # the deployment's record is gone, and with it whom to tell
        except RolloutError:
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def _tell(keys: Mapping[str, Mapping[str, str]], aws: Aws, clock: Clock) -> None:
    deployment_id = keys["pk"]["S"].partition("#")[2]
    if not keys["sk"]["S"].startswith("EVENT#"):
        return
    deployment = aws.records.deployment(deployment_id)
    told = event_of(deployment, aws.records.event(deployment_id, keys["sk"]["S"]))
    aws.events.put(SOURCE, DETAIL_TYPE, told)
    if deployment.config.webhook:
        _call_webhook(deployment, told, aws, clock)


def _call_webhook(deployment: Deployment, told: Mapping[str, Any], aws: Aws, clock: Clock) -> None:
    webhook = deployment.config.webhook
    if webhook is None:
        return
    key = aws.secrets.read(Names(deployment.environment).webhook_secret).text
    body = json.dumps(told).encode()
    headers = {
        "content-type": "application/json",
        "proxyctl-signature": signature(key, int(clock().timestamp()), body),
    }
    reply = aws.endpoint.call("POST", webhook.url, headers, body, signed=False, timeout_s=_TIMEOUT_S)
    if reply.status >= 500 or reply.status == 429:
        raise AwsCallFailed(f"the webhook of {deployment.environment} answered {reply.status}")
