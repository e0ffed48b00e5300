"""Many at once: one key is one execution, one environment is one deployment."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ctl.client import Client
from tests.e2e.rolling import Embedded, ended, start, until

# Each is a cold Lambda, of a second of processor time: fifty of them time out on a machine that others use, too.
at_a_time = pytest.mark.parametrize("count", [15, pytest.param(50, marks=pytest.mark.long)])


def at_once(embedded: Embedded, bodies: list[tuple[dict[str, Any], str]]) -> list[tuple[int, Any]]:
    """Each POST over a connection of its own, all together."""

    def post(requested: tuple[dict[str, Any], str]) -> tuple[int, Any]:
        body, key = requested
        client = Client(embedded.api_url, embedded.aws.session, embedded.aws.region)
        # Cold Lambdas on a small machine take their time; a POST with a key may be sent again without harm.
        reply = client.call("POST", "/deployments", body, {"Idempotency-Key": key}, retry=True)
        return reply.status, reply.body

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, bodies))


def executions(embedded: Embedded) -> set[str]:
    pages = embedded.boto("stepfunctions").get_paginator("list_executions")
    result = pages.paginate(stateMachineArn=embedded.outputs["StateMachineArn"])
    return {execution["name"] for page in result for execution in page["executions"]}


@at_a_time
def test_many_posts_with_one_key_start_one_execution(embedded: Embedded, count: int) -> None:
    # An environment without a secret ends in preflight or prepare_secret: the start is what is looked at.
    before = executions(embedded)
    answers = at_once(embedded, [({"environment": "onekey"}, f"the-same-key-{count}")] * count)
    assert Counter(status for status, _ in answers) == {202: count}
    ids = {body["id"] for _, body in answers}
    assert len(ids) == 1
    ended(embedded, ids.pop())
    assert len({name for name in executions(embedded) - before if "-settle-" not in name}) == 1


@at_a_time
def test_many_posts_with_different_keys_start_one_and_tell_the_others_who_holds_it(
    embedded: Embedded, count: int
) -> None:
    bodies = [({"environment": "manykeys"}, f"key-{number}-of-{count}") for number in range(count)]
    answers = at_once(embedded, bodies)
    accepted = [body["id"] for status, body in answers if status == 202]
    refused = [body["error"] for status, body in answers if status == 409]
    # The first may end while others still ask, so that a second may start after it; never two at a time.
    assert len(accepted) + len(refused) == count
    assert len(refused) >= count // 2
    assert {error["holder"] for error in refused} <= set(accepted)
    for deployment_id in accepted:
        ended(embedded, deployment_id)


def test_who_waits_in_line_is_started_when_the_one_before_has_ended(embedded: Embedded) -> None:
    first = start(embedded, "inline")
    second = start(embedded, "inline", options={"if_busy": "wait"})
    answer = ended(embedded, second)
    assert answer["created_at"] < answer["started_at"]
    assert embedded.client.deployment(first)["ended_at"] <= answer["started_at"]
    until("the lock is released", lambda: not embedded.client.environment("inline").get("lock"))


def test_a_wrong_field_is_named_and_nothing_is_started(embedded: Embedded) -> None:
    status, body = embedded.call("POST", "/deployments", {"environment": "dev", "config": {"memory": 1}})
    assert status == 400
    assert body["error"]["field"] == "config.memory"
    assert body["error"]["remedy"] == "Did you mean memory_mb?"
