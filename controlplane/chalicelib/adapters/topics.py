"""SNS and SQS behind `ports.topics`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from chalicelib.domain.aws.topics import Probe
from chalicelib.domain.errors import AwsCallFailed, NotFound
from chalicelib.domain.names import OWNER

from .session import HOME, Session

_MISSING_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _filtered(body_filter: Mapping[str, object]) -> dict[str, str]:
    return {"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps(body_filter)}


class SnsTopics:
    """See the Protocol."""

    def __init__(self, partition: str, region: str, account: str, session: Session = HOME) -> None:
        self._session = session
        self._arn = f"arn:{partition}:sns:{region}:{account}:"
        self._account = account

    def ensure(self, name: str, tags: Mapping[str, str], key: str = "") -> str:
        existing = self._attributes(self._arn + name)
        if existing is not None:
            self._tag(self._arn + name, tags)
            if existing.get("KmsMasterKeyId", "") != key:
                self._set(self._arn + name, "KmsMasterKeyId", key)
            return self._arn + name
        attributes = {"KmsMasterKeyId": key} if key else {}
        arn: str = self._session.call("sns", "create_topic", Name=name, Tags=_tags(tags), Attributes=attributes)[
            "TopicArn"
        ]
        statement = {
            "Sid": "AlarmsOfThisAccount",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": self._account}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._set(arn, "Policy", policy)
        return arn

    def _tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """The project's own tags are there since the topic was created; those of the customer's may be new."""
        if custom := {key: value for key, value in tags.items() if not key.startswith(f"{OWNER}:")}:
            self._session.call("sns", "tag_resource", ResourceArn=arn, Tags=_tags(custom))

    def _set(self, arn: str, name: str, value: str) -> None:
        self._session.call("sns", "set_topic_attributes", TopicArn=arn, AttributeName=name, AttributeValue=value)

    def _attributes(self, arn: str) -> Mapping[str, str] | None:
        try:
            answer: Mapping[str, str] = self._session.call("sns", "get_topic_attributes", TopicArn=arn)["Attributes"]
        except NotFound:
            return None
        return answer

    def find(self, name: str) -> str | None:
        return None if self._attributes(self._arn + name) is None else self._arn + name

    def subscribers(self, topic_arn: str) -> Mapping[str, str]:
        try:
            entries = list(
                self._session.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic_arn)
            )
        except NotFound:
            return {}
        return {item["Endpoint"]: item["SubscriptionArn"] for item in entries}

    def subscribe(
        self, topic_arn: str, protocol: str, endpoint: str, body_filter: Mapping[str, object] | None = None
    ) -> None:
        attributes = _filtered(body_filter) if body_filter else {}
        self._session.call(
            "sns", "subscribe", TopicArn=topic_arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes
        )

    def set_filter(self, subscription_arn: str, body_filter: Mapping[str, object]) -> None:
        # The scope first: SNS checks the policy against it.
        for name, value in _filtered(body_filter).items():
            self._session.call(
                "sns",
                "set_subscription_attributes",
                SubscriptionArn=subscription_arn,
                AttributeName=name,
                AttributeValue=value,
            )

    def unsubscribe(self, subscription_arn: str) -> None:
        try:
            self._session.call("sns", "unsubscribe", SubscriptionArn=subscription_arn)
        except NotFound:
            return

    def open_probe(self, topic_arn: str, queue: str, tags: Mapping[str, str]) -> Probe:
        queue_arn = topic_arn.rpartition(":")[0].replace(":sns:", ":sqs:") + f":{queue}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        attributes = {"Policy": policy}
        url: str = self._session.call("sqs", "create_queue", QueueName=queue, tags=dict(tags), Attributes=attributes)[
            "QueueUrl"
        ]
        answer = self._session.call(
            "sns",
            "subscribe",
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            ReturnSubscriptionArn=True,
        )
        return Probe(url, queue_arn, answer["SubscriptionArn"])

    def receive(self, probe: Probe, wait_s: int) -> Sequence[Mapping[str, object]]:
        try:
            answer = self._session.call(
                "sqs", "receive_message", QueueUrl=probe.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s
            )
        except (AwsCallFailed, NotFound) as error:
            if isinstance(error, AwsCallFailed) and error.aws_code not in _MISSING_QUEUE:
                raise
            return []
        messages = answer.get("Messages", [])
        if messages:
            entries = [
                {"Id": str(index), "ReceiptHandle": item["ReceiptHandle"]} for index, item in enumerate(messages)
            ]
            self._session.call("sqs", "delete_message_batch", QueueUrl=probe.queue_url, Entries=entries)
        return [json.loads(json.loads(item["Body"])["Message"]) for item in messages]

    def close_probe(self, probe: Probe) -> None:
        self.unsubscribe(probe.subscription_arn)
        self.delete_queue(probe.queue_url)

    def probes(self, prefix: str) -> Sequence[str]:
        return self._session.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=prefix)

    def delete_queue(self, queue_url: str) -> None:
        try:
            self._session.call("sqs", "delete_queue", QueueUrl=queue_url)
        except AwsCallFailed as error:
            if error.aws_code not in _MISSING_QUEUE:
                raise
        except NotFound:
            return

    def delete(self, topic_arn: str) -> None:
        for subscription in self.subscribers(topic_arn).values():
            if subscription.startswith("arn:"):
                self.unsubscribe(subscription)
        self._session.call("sns", "delete_topic", TopicArn=topic_arn)
