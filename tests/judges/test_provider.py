"""The checks of phases 7 and 8 agree with OpenAI's published description; a check that does not is named."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from chalicelib.adapters import openai_sdk
from chalicelib.checks.check import ASK, CHAT, JSON, Check, HttpRequest, error_shape
from chalicelib.checks.expectations import Expect
from chalicelib.checks.reference import all_checks
from chalicelib.domain.aws.sdk_target import Target

from installer.dev import openai_routes
from judges import provider
from tests.functional.proxy.upstream import Upstream, reply

ABSENT = error_shape((404, 405))
GOOD = (Expect("status", "is", 200),)


def check(expects: tuple[Expect, ...], http: HttpRequest | None = None, **more: Any) -> Check:
    return Check("planted", "It is planted.", expects, http=http, **more)


PLANTED = {
    "the provider has GET /v1/chat/completions": check(ABSENT, HttpRequest("GET", CHAT)),
    "the provider has GET /v1/chat/completions/c-1": check(error_shape(404), HttpRequest("GET", f"{CHAT}/c-1")),
    "the provider has no GET /v1/embeddings": check(GOOD, HttpRequest("GET", "/v1/embeddings")),
    "expects a refusal": check(error_shape((400, 422)), HttpRequest("POST", CHAT, JSON, body=ASK)),
    "and answers 404": check(error_shape(400), HttpRequest("POST", "/v1/engines", JSON, body={})),
    "messages is required": check(GOOD, HttpRequest("POST", CHAT, JSON, body={"model": "m"})),
    "max_output_tokens is no field": check(GOOD, HttpRequest("POST", CHAT, JSON, body={**ASK, "max_output_tokens": 9})),
    "messages has another type": check(GOOD, HttpRequest("POST", CHAT, JSON, body={**ASK, "messages": "hello"})),
    "never says 'done'": check((Expect("state", "one_of", ("completed", "done")),), sdk="responses"),
    "never says 'ended'": check(
        (*GOOD, Expect("json.choices.0.finish_reason", "one_of", ("ended",))),
        HttpRequest("POST", CHAT, JSON, body=ASK),
    ),
    "no such field": check((Expect("json.error.status", "is", 1),), HttpRequest("POST", CHAT, JSON, body=ASK)),
    "does not need the stand-in": check(
        error_shape(500), HttpRequest("POST", CHAT, JSON, body=ASK), faults=({"type": "fail", "status": 500},)
    ),
}


def test_the_checks_as_they_are_agree_with_the_provider() -> None:
    assert provider.findings() == []


@pytest.mark.parametrize("says", PLANTED)
def test_a_check_that_the_provider_would_fail_is_found(says: str) -> None:
    assert any(says in text for text in provider.findings([PLANTED[says]])), provider.findings([PLANTED[says]])


def test_what_the_proxy_answers_itself_is_not_held_against_the_provider() -> None:
    ours = [
        check(error_shape(401), HttpRequest("GET", "/v1/nowhere"), needs=("client_keys",)),
        check(GOOD, HttpRequest("OPTIONS", "/v1/nowhere")),
        check(error_shape(413), HttpRequest("POST", CHAT, JSON, body=ASK, pad_to=6_400_000)),
        check(GOOD, HttpRequest("GET", "/health")),
    ]
    assert provider.findings(ours) == []


def sdk_routes() -> Iterator[tuple[str, str]]:
    """The routes of the pinned SDK, which OpenAI generates from the same description: (method, path template)."""
    for file in (Path(openai.__file__).parent / "resources").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            first = node.args[0].args[0] if isinstance(node.args[0], ast.Call) and node.args[0].args else node.args[0]
            if isinstance(first, ast.Constant) and str(first.value).startswith("/"):
                method = {"_get_api_list": "GET"}.get(node.func.attr, node.func.attr.lstrip("_").upper())
                yield method, f"/v1{first.value!s}"


def test_what_a_check_expects_to_be_absent_is_no_route_of_the_pinned_sdk_either() -> None:
    routes = set(sdk_routes())
    assert ("GET", "/v1/chat/completions") in routes
    absent = {
        (each.http.method, each.http.path)
        for table in all_checks().values()
        for each in table
        if each.http and not each.faults and any(e.fact == "status" and e.value == (404, 405) for e in each.expects)
    }
    assert absent == {("GET", "/v1/embeddings")}
    assert not absent & routes


@pytest.mark.parametrize("operation", provider.SDK_ROUTES)
def test_an_operation_of_the_sdk_sends_what_the_provider_takes(operation: str) -> None:
    class Unsigned:
        def sign(self, *_: object) -> dict[str, str]:
            return {}

    with Upstream(reply(500, b"{}")) as upstream:
        target = Target(upstream.base_url.removesuffix("/v1"), False, 5.0)
        sdk = openai_sdk.OpenAiSdk(Unsigned())  # type: ignore[arg-type]
        sdk.observe(operation, target, {"chat": "gpt-4o-mini", "embedding": "text-embedding-3-small"})
    (sent,) = upstream.received
    assert (sent.method, sent.target) == provider.SDK_ROUTES[operation]
    assert sent.method == "GET" or provider.read().refusal(sent.target, sent.json()) == ""


def test_the_data_name_their_source_commit_and_date() -> None:
    held = json.loads(provider.FILE.read_text())
    assert held["source"] == openai_routes.SOURCE
    assert len(held["commit"]) == 40
    assert held["date"] >= "2026-08-21"
    assert len(held["methods"]) > 150


def test_the_generator_follows_references_and_merges_parts() -> None:
    words = {"type": "string", "enum": ["b", "a"]}
    body = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"required": ["model"], "properties": {"model": words}}]}
    choices = {"items": {"$ref": "#/components/schemas/C"}}
    answer = {"properties": {"object": words, "status": words, "choices": choices}}

    def operation() -> dict[str, Any]:
        return {
            "requestBody": {"content": {"application/json": {"schema": body}}},
            "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
        }

    description = {
        "info": {"version": "1"},
        "paths": {path: {"post": operation()} for path in ("/chat/completions", "/embeddings", "/responses")},
        "components": {
            "schemas": {
                "Base": {"properties": {"input": {"anyOf": [{"type": "string"}, {"type": "array"}]}}},
                "C": {"properties": {"finish_reason": words}},
                "Error": {"properties": {"message": words}},
            }
        },
    }
    held = openai_routes.extract(description, "c" * 40, "2026-01-01")
    assert held["bodies"]["/v1/embeddings"] == {
        "required": ["model"],
        "fields": {"input": ["array", "string"], "model": ["string"]},
    }
    assert held["words"]["/v1/chat/completions"] == {"object": ["a", "b"], "finish_reason": ["a", "b"]}
    assert held["methods"]["/v1/responses"] == ["POST"]
    assert held["error"] == ["message"]
