"""SNS topics, and SQS test queues that receive what a topic sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.domain.aws.topics import Probe


class Topics(Protocol):
    def ensure(self, name: str, tags: Mapping[str, str], key: str = "") -> str:
        """The ARN of the topic, created if it does not exist. CloudWatch of this account may publish to it.

        tags: an existing topic gets the customer's, too. key: ARN of the KMS key that encrypts messages, "" for none.
        """
        ...

    def find(self, name: str) -> str | None:
        """The topic's ARN, None when it does not exist."""
        ...

    def subscribers(self, topic_arn: str) -> Mapping[str, str]:
        """Subscription ARN (or "PendingConfirmation") by e-mail address or endpoint.

        {} for a topic that is gone, or so new that SNS does not list it yet.
        """
        ...

    def subscribe(
        self, topic_arn: str, protocol: str, endpoint: str, body_filter: Mapping[str, object] | None = None
    ) -> None:
        """body_filter: an SNS filter policy on the message body; None delivers everything."""
        ...

    def set_filter(self, subscription_arn: str, body_filter: Mapping[str, object]) -> None:
        """Give a confirmed subscription this filter policy on the message body."""
        ...

    def unsubscribe(self, subscription_arn: str) -> None: ...

    def open_probe(self, topic_arn: str, queue: str, tags: Mapping[str, str]) -> Probe:
        """A queue of that name, subscribed to the topic without a filter; a second call creates nothing.

        The queue is created with the policy that lets the topic send: one that is set later acts up to 60 s later.
        """
        ...

    def receive(self, probe: Probe, wait_s: int) -> Sequence[Mapping[str, object]]:
        """Messages (JSON bodies of the notifications) that have arrived, removed from the queue."""
        ...

    def close_probe(self, probe: Probe) -> None:
        """Remove subscription and queue; nothing happens when they are gone."""
        ...

    def probes(self, prefix: str) -> Sequence[str]:
        """URLs of queues whose names begin so."""
        ...

    def delete_queue(self, queue_url: str) -> None: ...

    def delete(self, topic_arn: str) -> None: ...
