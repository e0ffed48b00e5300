"""`ports.topics` in memory. `FakeAws` hands it what alarms say, as SNS would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.domain.aws.topics import Probe

PREFIX = "arn:aws:sns:eu-central-1:123456789012:"


class FakeTopics:
    """`deaf` names alarms whose notifications get lost."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}
        self.queues: dict[str, list[Mapping[str, object]]] = {}
        self.deaf: set[str] = set()
        self.filters: dict[str, Mapping[str, object]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.keys: dict[str, str] = {}

    def publish(self, alarm: str, state: str, reason: str) -> None:
        if alarm not in self.deaf:
            for messages in self.queues.values():
                messages.append({"AlarmName": alarm, "NewStateValue": state, "NewStateReason": reason})

    def ensure(self, name: str, tags: Mapping[str, str], key: str = "") -> str:
        self.kept.setdefault(PREFIX + name, {})
        self.tags[name], self.keys[name] = dict(tags), key
        return PREFIX + name

    def find(self, name: str) -> str | None:
        return PREFIX + name if PREFIX + name in self.kept else None

    def subscribers(self, topic_arn: str) -> Mapping[str, str]:
        return self.kept.get(topic_arn, {})

    def subscribe(
        self, topic_arn: str, protocol: str, endpoint: str, body_filter: Mapping[str, object] | None = None
    ) -> None:
        confirmed = f"{topic_arn}:{endpoint}"
        if body_filter:
            self.filters[confirmed] = body_filter
        self.kept[topic_arn][endpoint] = "PendingConfirmation" if protocol == "email" else confirmed

    def set_filter(self, subscription_arn: str, body_filter: Mapping[str, object]) -> None:
        self.filters[subscription_arn] = body_filter

    def unsubscribe(self, subscription_arn: str) -> None:
        for subscribed in self.kept.values():
            for endpoint in [item for item, arn in subscribed.items() if arn == subscription_arn]:
                del subscribed[endpoint]

    def open_probe(self, topic_arn: str, queue: str, tags: Mapping[str, str]) -> Probe:
        self.queues.setdefault(f"https://sqs/123456789012/{queue}", [])
        endpoint = f"arn:queue:{queue}"
        self.kept.setdefault(topic_arn, {})[endpoint] = f"{topic_arn}:{queue}"
        return Probe(f"https://sqs/123456789012/{queue}", endpoint, f"{topic_arn}:{queue}")

    def receive(self, probe: Probe, wait_s: int) -> Sequence[Mapping[str, object]]:
        if probe.queue_url not in self.queues:
            return []
        messages = self.queues[probe.queue_url]
        taken, self.queues[probe.queue_url] = messages[:10], messages[10:]
        return taken

    def close_probe(self, probe: Probe) -> None:
        self.unsubscribe(probe.subscription_arn)
        self.queues.pop(probe.queue_url, None)

    def probes(self, prefix: str) -> Sequence[str]:
        return [url for url in self.queues if url.rpartition("/")[2].startswith(prefix)]

    def delete_queue(self, queue_url: str) -> None:
        self.queues.pop(queue_url, None)

    def delete(self, topic_arn: str) -> None:
        self.kept.pop(topic_arn, None)
