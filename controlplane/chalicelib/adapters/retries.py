"""SQS behind `ports.retries`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .session import call

_FIRST_PAUSE_S = 2


class SqsRetries:
    """See the Protocol."""

    def __init__(self, queue_url: str) -> None:
        self._url = queue_url

    def add(self, message: Mapping[str, str]) -> None:
        body = json.dumps(dict(message))
        call("sqs", "send_message", QueueUrl=self._url, MessageBody=body, DelaySeconds=_FIRST_PAUSE_S)

    def postpone(self, receipt: str, after_s: int) -> None:
        call(
            "sqs",
            "change_message_visibility",
            QueueUrl=self._url,
            ReceiptHandle=receipt,
            VisibilityTimeout=after_s,
        )
