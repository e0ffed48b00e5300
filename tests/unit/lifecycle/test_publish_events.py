"""Every event reaches the bus in order, and each webhook until it takes it; one receiver holds up no other."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from chalicelib.domain.config import Config, Webhook
from chalicelib.domain.errors import AwsCallFailed, NotFound
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, Lock
from chalicelib.domain.options import Options
from chalicelib.lifecycle.publish_events import pause_s, publish

from tests.fakes import FakeAws
from tests.fakes.endpoint import Sent, reply

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Bus:
    def __init__(self) -> None:
        self.published: list[str] = []
        self.broken = False

    def put(self, source: str, detail_type: str, detail: Any) -> None:
        if self.broken:
            raise AwsCallFailed("the bus is down")
        self.published.append(str(detail["environment"]))


def world(*environments: str, key: str | bytes = "signing-key") -> FakeAws:
    """A deployment with a webhook, and one event, for each environment."""
    aws = FakeAws()
    aws.events = Bus()  # type: ignore[attr-defined]
    for name in environments:
        config = Config(webhook=Webhook(f"https://{name}.example.com/hook"))
        deployment = Deployment(f"d-{name}", name, Action.DEPLOY, DeploymentStatus.RUNNING, config, Options(), "t")
        aws.records.start(deployment, Lock(deployment.id), None, None)
        aws.records.add_event(deployment.id, "t1", "preflight.started", {})
        aws.secrets.add(f"proxyctl/{name}/webhook", key)
    return aws


def stream(*environments: str) -> dict[str, Any]:
    keys = [{"pk": {"S": f"DEPLOYMENT#d-{name}"}, "sk": {"S": "EVENT#t1#preflight.started"}} for name in environments]
    return {"Records": [{"dynamodb": {"Keys": key, "SequenceNumber": str(n)}} for n, key in enumerate(keys)]}


def queued(name: str, attempts: int = 1) -> dict[str, Any]:
    record = {
        "eventSource": "aws:sqs",
        "messageId": f"m-{name}",
        "receiptHandle": f"r-{name}",
        "attributes": {"ApproximateReceiveCount": str(attempts)},
        "body": json.dumps({"deployment_id": f"d-{name}", "event": "EVENT#t1#preflight.started"}),
    }
    return {"Records": [record]}


def run(event: dict[str, Any], aws: FakeAws) -> list[Any]:
    failures = publish(event, aws.as_aws(), lambda: NOW)["batchItemFailures"]
    assert isinstance(failures, list)
    return failures


@pytest.mark.parametrize("status", [301, 308, 400, 404, 410, 429, 500, 503])
def test_only_2xx_is_delivered_and_all_else_goes_to_the_queue_while_the_stream_goes_on(status: int) -> None:
    aws = world("bad", "good")
    aws.endpoint.answer = lambda sent: reply(status if "bad" in sent.url else 200, {})
    assert run(stream("bad", "good"), aws) == []
    assert aws.events.published == ["bad", "good"]  # type: ignore[attr-defined]
    assert [sent.url for sent in aws.endpoint.sent] == [f"https://{name}.example.com/hook" for name in ("bad", "good")]
    assert aws.retries.messages == [{"deployment_id": "d-bad", "event": "EVENT#t1#preflight.started"}]


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_2xx_is_delivered(status: int) -> None:
    aws = world("good")
    aws.endpoint.answer = lambda _sent: reply(status, {})
    run(stream("good"), aws)
    assert aws.retries.messages == []


def test_a_receiver_that_cannot_be_reached_is_called_again() -> None:
    def refuses(_sent: Sent) -> Any:
        raise AwsCallFailed("connection refused")

    aws = world("bad")
    aws.endpoint.answer = refuses
    assert run(stream("bad"), aws) == []
    assert len(aws.retries.messages) == 1


def test_a_bus_that_fails_stops_the_batch_at_that_record() -> None:
    aws = world("a", "b")
    aws.events.broken = True  # type: ignore[attr-defined]
    assert run(stream("a", "b"), aws) == [{"itemIdentifier": "0"}]


def test_the_queue_calls_again_and_postpones_what_fails() -> None:
    aws = world("bad")
    aws.endpoint.answer = lambda _sent: reply(404, {})
    assert run(queued("bad", attempts=3), aws) == [{"itemIdentifier": "m-bad"}]
    assert aws.retries.postponed == [("r-bad", 8)]
    aws.endpoint.answer = lambda _sent: reply(200, {})
    assert run(queued("bad"), aws) == []


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (9, 512), (10, 600), (1_000, 600)])
def test_pauses_double_up_to_ten_minutes(attempts: int, seconds: int) -> None:
    assert pause_s(attempts) == seconds


def test_a_message_of_a_deployment_that_is_gone_is_done() -> None:
    assert run(queued("gone"), world()) == []


@pytest.mark.parametrize("key", ["signing-key", b"\x00\xffkey"])
def test_a_text_or_binary_key_signs_with_its_bytes(key: str | bytes) -> None:
    aws = world("good", key=key)
    run(stream("good"), aws)
    (sent,) = aws.endpoint.sent
    timestamp, signature = (part.partition("=")[2] for part in sent.headers["proxyctl-signature"].split(","))
    secret = key if isinstance(key, bytes) else key.encode()
    assert hmac.new(secret, f"{timestamp}.".encode() + sent.body, hashlib.sha256).hexdigest() == signature


@pytest.mark.parametrize("key", ["", b""])
def test_nothing_is_sent_under_an_empty_key(key: str | bytes) -> None:
    aws = world("bad", key=key)
    run(stream("bad"), aws)
    assert aws.endpoint.sent == []
    assert len(aws.retries.messages) == 1


def test_a_missing_key_sends_nothing_and_stops_nobody() -> None:
    aws = world("bad", "good")
    del aws.secrets.kept["proxyctl/bad/webhook"]
    assert run(stream("bad", "good"), aws) == []
    assert [sent.url for sent in aws.endpoint.sent] == ["https://good.example.com/hook"]


def test_a_bus_that_is_gone_loses_no_event() -> None:
    """Found by the matrix of faults: it looked like a deployment whose record is gone, and the event was dropped."""
    aws = world("a")

    def gone(*_given: Any) -> None:
        raise NotFound("there is no bus")

    aws.events.put = gone  # type: ignore[attr-defined]
    assert run(stream("a"), aws) == [{"itemIdentifier": "0"}]


@pytest.mark.parametrize(("url", "public"), [("https://hooks.example.com/x", True), ("http://127.0.0.1:8080/x", False)])
def test_only_a_receiver_on_this_machine_may_be_at_an_address_that_is_not_public(url: str, public: bool) -> None:
    aws = world("dev")
    deployment = aws.records.started["d-dev"]
    aws.records.started["d-dev"] = dataclasses.replace(deployment, config=Config(webhook=Webhook(url)))
    publish(stream("dev"), aws.as_aws(), lambda: NOW)
    assert [sent.public for sent in aws.endpoint.sent] == [public]
