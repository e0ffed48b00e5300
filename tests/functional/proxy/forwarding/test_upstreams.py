"""Several upstreams in one secret: each alias goes to its own with its own key; fallbacks leave one that is down."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from proxy.clock import Clock
from tests.functional.proxy.rig import rig
from tests.functional.proxy.upstream import Seen, Upstream, chat, reply

FAST = Clock(sleep=lambda _: None)
DEFAULT_KEY, AZURE_KEY = "sk-default-key", "azure-key-0123456789abcdef"


def secret_of(azure: str, **changes: Any) -> dict[str, Any]:
    upstream = {"base_url": azure, "api_key": AZURE_KEY, "auth": "api-key", "query": {"api-version": "2024-10-21"}}
    models = {
        "best": {"target": "gpt-4o", "fallbacks": ["spare", "gpt-4o-mini"]},
        "spare": {"target": "deployment-1", "upstream": "azure", "fallbacks": ["deployment-2"]},
    }
    return {"schema": 2, "api_key": DEFAULT_KEY, "upstreams": {"azure": upstream}, "models": models, **changes}


def keys_in(received: list[Seen]) -> str:
    return str([request.headers for request in received])


def test_an_alias_goes_to_its_own_upstream_in_that_ones_style() -> None:
    with Upstream(chat()) as openai, Upstream(chat()) as azure:
        proxy = rig(openai.base_url, **secret_of(azure.base_url))
        assert proxy.ask("/v1/chat/completions?x=1", body={"model": "spare"}).status == 200
        assert proxy.ask(body={"model": "gpt-4o"}).status == 200
    (request,) = azure.received
    assert request.target == "/v1/chat/completions?x=1&api-version=2024-10-21"
    assert request.json() == {"model": "deployment-1"}
    assert (request.header("api-key"), request.header("authorization")) == (AZURE_KEY, None)
    assert openai.received[0].header("authorization") == f"Bearer {DEFAULT_KEY}"
    assert [line.get("upstream") for line in proxy.lines()] == ["azure", None]


def test_a_fallback_leaves_a_provider_that_is_down_and_no_key_crosses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Upstream(chat()) as azure:
        proxy = rig(f"http://127.0.0.1:{port}/v1", source=FAST, **secret_of(azure.base_url))
        answer = proxy.ask(body={"model": "best"}, headers={"api-key": "callers"})
    assert (answer.status, answer.header("x-proxy-model")) == (200, "deployment-1")
    assert DEFAULT_KEY not in keys_in(azure.received)
    assert "callers" not in keys_in(azure.received)


def test_the_targets_are_tried_in_order_each_at_its_upstream() -> None:
    with Upstream(reply(500, {})) as openai, Upstream(reply(500, {})) as azure:
        rig(openai.base_url, source=FAST, retries=0, **secret_of(azure.base_url)).ask(body={"model": "best"})
        assert [request.json()["model"] for request in openai.received] == ["gpt-4o", "gpt-4o-mini"]
        assert [request.json()["model"] for request in azure.received] == ["deployment-1"]
        rig(openai.base_url, source=FAST, retries=0, **secret_of(azure.base_url)).ask(body={"model": "spare"})
    assert [request.json()["model"] for request in azure.received] == ["deployment-1", "deployment-1", "deployment-2"]
    assert AZURE_KEY not in keys_in(openai.received)
    assert DEFAULT_KEY not in keys_in(azure.received)


def test_a_key_that_one_upstream_refuses_is_looked_up_for_that_one() -> None:
    def newest_only(upstream: Upstream, received: Seen, client: socket.socket) -> bool:
        good = received.header("api-key") == "azure-new-0123456789abcdef"
        return (chat() if good else reply(401, {"error": {}}))(upstream, received, client)

    with Upstream(chat()) as openai, Upstream(newest_only) as azure:
        proxy = rig(openai.base_url, **secret_of(azure.base_url))
        proxy.parts.secrets.get()
        proxy.store.secret["upstreams"]["azure"]["api_key"] = "azure-new-0123456789abcdef"
        assert proxy.ask(body={"model": "spare"}).status == 200
    assert proxy.store.reads == 2
    assert openai.received == []


def test_an_upstream_that_a_new_secret_lacks_gets_no_other_ones_key() -> None:
    with Upstream(chat()) as openai, Upstream(reply(401, {"error": {}})) as azure:
        proxy = rig(openai.base_url, **secret_of(azure.base_url))
        proxy.parts.secrets.get()
        proxy.store.secret.update(upstreams={}, models={})
        assert proxy.ask(body={"model": "spare"}).status == 401
    assert DEFAULT_KEY not in keys_in(azure.received)


def test_no_key_of_any_upstream_comes_back() -> None:
    with Upstream(chat()) as openai, Upstream(reply(400, {"error": f"{DEFAULT_KEY} {AZURE_KEY}"})) as azure:
        answer = rig(openai.base_url, **secret_of(azure.base_url)).ask(body={"model": "spare"})
    assert DEFAULT_KEY not in answer.body.decode()
    assert AZURE_KEY not in answer.body.decode()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_alias_in_the_path_of_models_is_asked_for_at_its_upstream_under_its_target(method: str) -> None:
    with Upstream(reply(200, {"id": "deployment-1", "object": "model"})) as azure, Upstream(chat()) as openai:
        answer = rig(openai.base_url, **secret_of(azure.base_url)).ask("/v1/models/spare", method=method)
    assert (answer.status, azure.received[0].method) == (200, method)
    assert azure.received[0].target == "/v1/models/deployment-1?api-version=2024-10-21"
    assert openai.received == []
    if method == "GET":
        assert answer.json()["id"] == "spare"


def test_bedrocks_openai_compatible_endpoint_takes_its_key_as_a_bearer() -> None:
    with Upstream(chat()) as openai, Upstream(chat()) as bedrock:
        base_url = bedrock.base_url.replace("/v1", "/openai/v1")
        upstreams = {"bedrock": {"base_url": base_url, "api_key": "bedrock-api-key-0123456789"}}
        models = {"oss": {"target": "openai.gpt-oss-20b-1:0", "upstream": "bedrock"}}
        proxy = rig(openai.base_url, **secret_of(bedrock.base_url, upstreams=upstreams, models=models))
        assert proxy.ask(body={"model": "oss"}).status == 200
    assert bedrock.received[0].target == "/openai/v1/chat/completions"
    assert bedrock.received[0].header("authorization") == "Bearer bedrock-api-key-0123456789"
