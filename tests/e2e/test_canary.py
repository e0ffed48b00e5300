"""A key and prompts that are planted stand nowhere after a drill with failures, an abort and a broken release.

The same search with a leak that is planted names that place and no other: what it does not name is clean.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from openai import OpenAI, OpenAIError

from tests.e2e import places
from tests.e2e.rolling import CLIENT_KEY, Embedded, ended, phase, reached, roll, start, until

NAME = "canary"
QUICK_CHILDREN: dict[str, Any] = {
    "load": {"rps": 10, "duration_s": 2, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None},
    "bake": {"steps": [100], "step_s": 1, "watch_s": 1},
}
_KINDS = {
    "log", "item", "object", "metadata", "execution", "history", "queue", "function", "stack", "api", "rule", "topic",
    "schedule", "secret", "page", "file",
}  # fmt: skip
_HOURS_S = 3_600.0  # on a machine that others use, too


@dataclass(frozen=True)
class Canaries:
    """Values that exist nowhere else. key, other_key: of the provider; prompts: what users say; client_key: of one."""

    key: str
    other_key: str
    prompts: tuple[str, ...]
    client_key: str = CLIENT_KEY

    @property
    def words(self) -> tuple[str, ...]:
        return (self.key, self.other_key, *self.prompts, self.client_key)


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries(
        key=f"sk-proj-canary{secrets.token_hex(20)}",
        other_key=f"sk-proj-rotated{secrets.token_hex(20)}",
        prompts=tuple(f"canaryprompt{number}{secrets.token_hex(12)}" for number in range(6)),
    )


@pytest.fixture(scope="module")
def listening(embedded: Embedded) -> Iterator[str]:
    """A queue that gets all events of the bus, so that what was published can be searched."""
    queues, events = embedded.boto("sqs"), embedded.boto("events")
    url: str = queues.create_queue(QueueName="canary-events")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="canary-events", EventPattern=json.dumps({"source": [{"prefix": ""}]}))
    events.put_targets(Rule="canary-events", Targets=[{"Id": "queue", "Arn": arn}])
    yield url
    events.remove_targets(Rule="canary-events", Ids=["queue"])
    events.delete_rule(Name="canary-events")
    queues.delete_queue(QueueUrl=url)


def talk(base_url: str, canaries: Canaries) -> None:
    """Users: whole and streamed, with a model that is unknown, a body that is no JSON, a wrong key, a long prompt."""
    for key in (canaries.client_key, canaries.other_key):
        user = OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=60)
        first, second, third, fourth, fifth, sixth = canaries.prompts
        with contextlib.suppress(OpenAIError):  # the second user has the wrong key
            user.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": first}])
        with contextlib.suppress(OpenAIError):
            streamed = user.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": second}], stream=True
            )
            list(streamed)
        with contextlib.suppress(OpenAIError):
            user.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": third}])
        with contextlib.suppress(OpenAIError):
            user.embeddings.create(model="text-embedding-3-small", input=[fourth, fourth])
        with contextlib.suppress(OpenAIError):
            user.post("/chat/completions", cast_to=object, body={"model": 7, "messages": fifth})
        with contextlib.suppress(OpenAIError):
            user.responses.create(model="gpt-4o-mini", input=sixth * 200)


@pytest.fixture(scope="module")
def drilled(embedded: Embedded, canaries: Canaries, listening: str) -> Embedded:
    """All that may write something somewhere has happened, with the canaries in it."""
    client = embedded.client
    client.put_secret(NAME, embedded.secret() | {"api_key": canaries.key})
    # Refused documents must not be quoted either.
    for wrong in ({"api_key": canaries.key, "modles": {}}, {"schema": 1, "api_key": [canaries.key]}):
        embedded.call("PUT", f"/environments/{NAME}/secret", wrong)
    rolled = roll(embedded, NAME)
    assert rolled["status"] == "SUCCEEDED", rolled.get("error")
    talk(rolled["links"]["base_url"], canaries)
    broken = roll(embedded, NAME, options={"slo": {"p99_ms": 1, "cold_start_ms": None}, "force": True})
    assert broken["status"] != "SUCCEEDED"
    slow = start(embedded, NAME, options={"force": True})
    reached(embedded, slow, "deploy_stack", "configure_monitoring", "release_code")
    embedded.call("POST", f"/deployments/{slow}/abort")
    assert ended(embedded, slow)["status"] == "ABORTED"
    until("the lock is released", lambda: not client.environment(NAME).get("lock"))
    stored = client.patch_secret(NAME, {"api_key": canaries.other_key})
    list(client.follow(str(stored["deployment"]), _HOURS_S))
    drill = start(embedded, NAME, "drill", options=QUICK_CHILDREN)
    end = list(client.follow(drill, _HOURS_S))[-1]
    assert end["status"] == "SUCCEEDED", end.get("error")
    assert phase(dict(end), "run_drill")["evidence"]["parts"][1]["status"] == "FAILED"
    talk(rolled["links"]["base_url"], canaries)
    return embedded


@pytest.mark.long
def test_neither_key_nor_prompt_stands_anywhere_after_a_drill_with_failures(
    drilled: Embedded, canaries: Canaries
) -> None:
    kinds = {place.split()[0] for place, _ in places.every(drilled)}
    assert kinds >= _KINDS
    assert places.leaks(drilled, canaries.words) == []


@pytest.mark.long
def test_the_search_names_every_place_where_a_leak_is_planted(
    drilled: Embedded, canaries: Canaries, listening: str
) -> None:
    word = canaries.key
    logs, tables, storage = (drilled.boto(name) for name in ("logs", "dynamodb", "s3"))
    group = "/proxyctl/controlplane"
    logs.create_log_stream(logGroupName=group, logStreamName="leak")
    now_ms = int(time.time() * 1000)
    line = {"timestamp": now_ms, "message": json.dumps({"authorization": f"Bearer {word}"})}
    logs.put_log_events(logGroupName=group, logStreamName="leak", logEvents=[line])
    tables.put_item(TableName="proxyctl", Item={"pk": {"S": "LEAK"}, "sk": {"S": "x"}, "text": {"S": word}})
    bucket = storage.list_buckets()["Buckets"][0]["Name"]
    storage.put_object(Bucket=bucket, Key="leak.gz", Body=gzip.compress(word.encode()))
    drilled.boto("events").put_events(
        Entries=[{"Source": "leak", "DetailType": "x", "Detail": json.dumps({"key": word})}]
    )
    until("the event is in the queue", lambda: _waits(drilled, listening))
    named = places.leaks(drilled, canaries.words)
    tables.delete_item(TableName="proxyctl", Key={"pk": {"S": "LEAK"}, "sk": {"S": "x"}})
    storage.delete_object(Bucket=bucket, Key="leak.gz")
    assert {place.split(":")[0].split()[0] for place in named} == {"log", "item", "object", "queue"}
    assert len(named) == 4, named


def _waits(embedded: Embedded, url: str) -> bool:
    attributes = embedded.boto("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return bool(attributes["ApproximateNumberOfMessages"] != "0")


@pytest.mark.parametrize("lead", ["", "x", "xy", "xyz"])
def test_a_word_is_seen_in_every_spelling(lead: str) -> None:
    word = f"sk-proj-canary{secrets.token_hex(20)}"
    whole = f"{lead}{word} and more".encode()
    for text in (whole, base64.b64encode(whole), whole.hex().encode(), json.dumps(whole.decode()).encode()):
        assert any(spelling in text for spelling in places.spellings(word)), text
    assert not any(spelling in b"sk-proj-other" for spelling in places.spellings(word))
