"""Limits of client keys: allowed models and expiry are exact; the rate is one token bucket for each process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from proxy.clock import Clock
from tests.functional.proxy.rig import Answer, Rig, request, rig
from tests.functional.proxy.upstream import CHAT, Upstream, chat, reply

KEY = "client-key-1"
HEADERS = {"authorization": f"Bearer {KEY}"}
MODELS = {"fast": {"target": "gpt-4o-mini"}, "best": {"target": "gpt-4o"}}


@dataclass
class Time:
    """A wall clock that a test moves."""

    now: float = 1_800_000_000.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now, sleep=lambda _: None)


def limited(base_url: str, source: Clock | None = None, **limits: Any) -> Rig:
    client = {"id": "a", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), **limits}
    return rig(base_url, source=source or Clock(), schema=2, client_keys=[client], models=MODELS)


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        ("/v1/chat/completions", "POST", {"model": "fast"}, 200),
        ("/v1/chat/completions", "POST", {"model": "best"}, 403),
        ("/v1/chat/completions", "POST", {"model": "gpt-4o-mini"}, 403),
        ("/v1/chat/completions", "POST", {"model": "FAST"}, 403),
        ("/v1/chat/completions", "POST", {"model": 7}, 403),
        ("/v1/chat/completions", "POST", {}, 403),
        ("/v1/batches", "POST", {"input_file_id": "f"}, 403),
        ("/v1/files", "GET", None, 403),
        ("/v1/models/fast", "GET", None, 200),
        ("/v1/models/best", "GET", None, 403),
        ("/v1/responses/resp_1?stream=true", "GET", None, 200),
        ("/v1/responses/resp_1/cancel", "POST", {}, 200),
        ("/v1/responses", "POST", {"prompt": {"id": "p"}}, 403),
        ("/v1/deployments/fast/chat/completions?api-version=1", "POST", {}, 200),
        ("/v1/deployments/best/chat/completions?api-version=1", "POST", {"model": "fast"}, 403),
        ("/v1/Deployment%73/best/chat/completions", "POST", {"model": "fast"}, 403),
        ("/v1/engines/fast/completions", "POST", {"model": "best"}, 403),
        ("/v1/model/best/invoke", "POST", {"model": "fast"}, 403),
        ("/v1/audio/speech?model=best", "POST", {"model": "fast"}, 403),
        ("/v1/audio/speech?Model=fas%74", "POST", {"model": "fast"}, 200),
        ("/v1/chat/completions", "POST", {"Model": "fast"}, 403),
    ],
)
def test_a_key_with_models_gets_those_and_what_runs_none(path: str, method: str, body: Any, status: int) -> None:
    with Upstream(chat()) as upstream:
        proxy = limited(upstream.base_url, models=["fast"])
        answer = proxy.ask(path, method=method, body=body if body is not None else b"", headers=HEADERS)
    assert answer.status == status
    if status == 403:
        assert answer.json()["error"]["code"] == "model_not_allowed"
        assert upstream.received == []


def test_a_model_in_text_that_is_not_json_is_no_allowed_one() -> None:
    with Upstream(chat()) as upstream:
        proxy = limited(upstream.base_url, models=["fast"])
        for kind in ("text/plain", "application/octet-stream", ""):
            headers = {**HEADERS, "content-type": kind}
            assert proxy.ask(body=b'{"model":"fast"}', headers=headers).status == 403
    assert upstream.received == []


def test_a_request_with_two_content_types_is_refused() -> None:
    """The upstream might read the body by the other one."""
    kinds = (("content-type", "application/json"), ("content-type", "multipart/form-data; boundary=b"))
    with Upstream(chat()) as upstream:
        sent = request(body={"model": "fast"}, headers=HEADERS)
        headers = (*kinds, *(pair for pair in sent.headers if pair[0] != "content-type"))
        answer = Answer(limited(upstream.base_url).parts.proxy.respond(replace(sent, headers=headers)))
    assert (answer.status, answer.json()["error"]["code"], upstream.received) == (400, "invalid_header", [])


def test_the_list_of_models_shows_the_allowed_ones_only() -> None:
    listing = {
        "object": "list",
        "data": [{"id": "gpt-4o", "object": "model"}, {"id": "gpt-4o-mini", "object": "model"}],
    }
    with Upstream(reply(200, listing)) as upstream:
        answer = limited(upstream.base_url, models=["fast"]).ask("/v1/models", method="GET", headers=HEADERS)
    assert [entry["id"] for entry in answer.json()["data"]] == ["fast"]


@pytest.mark.parametrize(("offset_s", "status"), [(-0.001, 200), (0.0, 401), (1.0, 401)])
def test_a_key_is_good_until_the_very_moment_that_it_expires(offset_s: float, status: int) -> None:
    moment = Time(1_801_353_600.0 + offset_s)
    with Upstream(chat()) as upstream:
        proxy = limited(upstream.base_url, moment.clock(), expires="2027-01-31T00:00:00Z")
        answer = proxy.ask(headers=HEADERS)
    assert answer.status == status
    if status == 401:
        assert (answer.json()["error"]["code"], upstream.received) == ("expired_api_key", [])


def test_a_rate_is_a_bucket_that_refills_and_says_when() -> None:
    moment = Time()
    with Upstream(chat()) as upstream:
        proxy = limited(upstream.base_url, moment.clock(), requests_per_minute=3)
        statuses = [proxy.ask(headers=HEADERS).status for _ in range(4)]
        late = proxy.ask(headers=HEADERS)
        moment.now += 19.9
        still = proxy.ask(headers=HEADERS).status
        moment.now += 0.2
        again = [proxy.ask(headers=HEADERS).status for _ in range(2)]
        moment.now -= 1000.0
        backwards = proxy.ask(headers=HEADERS).status
    assert statuses == [200, 200, 200, 429]
    assert (late.json()["error"]["code"], late.header("retry-after")) == ("rate_limit_exceeded", "20")
    assert (still, again, backwards) == (429, [200, 429], 429)


def test_a_rate_below_one_a_minute_lets_one_request_pass_at_first() -> None:
    moment = Time()
    with Upstream(chat()) as upstream:
        proxy = limited(upstream.base_url, moment.clock(), requests_per_minute=0.5)
        assert [proxy.ask(headers=HEADERS).status for _ in range(2)] == [200, 429]
        moment.now += 120.1
        assert proxy.ask(headers=HEADERS).status == 200


def test_what_is_refused_for_its_key_takes_no_token() -> None:
    with Upstream(chat()) as upstream:
        proxy = limited(upstream.base_url, Time().clock(), requests_per_minute=1)
        for _ in range(3):
            assert proxy.ask(headers={"authorization": "Bearer wrong"}).status == 401
        assert proxy.ask(headers=HEADERS).status == 200


def test_integers_of_any_length_pass() -> None:
    body = b'{"model":"fast","seed":' + b"9" * 5000 + b"}"
    with Upstream(chat()) as upstream:
        assert rig(upstream.base_url, models=MODELS).ask(body=body).status == 200
    assert upstream.received[0].body == body.replace(b"fast", b"gpt-4o-mini")


def test_a_caller_without_limits_is_answered_as_before() -> None:
    with Upstream(chat()) as upstream:
        answer = limited(upstream.base_url).ask("/v1/files", method="GET", headers=HEADERS)
    assert (answer.status, json.loads(answer.body)) == (200, CHAT)
