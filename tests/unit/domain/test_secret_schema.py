"""Facts about the secret: the field at fault is named, no value is ever told, and the proxy agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.secret_schema import check

from proxy.secret.schema import SecretError, decode

KEY = "sk-proj-abcdefghijklmnop0123"
GOOD: dict[str, Any] = {"schema": 1, "api_key": KEY, "models": {"fast": {"target": "gpt-4o-mini"}}}
LOCAL = {**GOOD, "base_url": "http://127.0.0.1:8080/v1"}

# Document, and the field that is wrong in it.
WRONG: list[tuple[Any, str]] = [
    ([], "(document)"),
    ("text", "(document)"),
    ({**GOOD, "client_key": []}, "client_key"),
    ({**GOOD, "schema": 3}, "schema"),
    ({**GOOD, "schema": True}, "schema"),
    ({"api_key": KEY}, "schema"),
    ({"schema": 1}, "api_key"),
    ({**GOOD, "api_key": ""}, "api_key"),
    ({**GOOD, "api_key": 5}, "api_key"),
    ({**GOOD, "api_key": "sk-abcdefghijklmnop\n0123"}, "api_key"),
    ({**GOOD, "base_url": "http://api.example.com/v1"}, "base_url"),
    ({**GOOD, "base_url": "ftp://api.openai.com"}, "base_url"),
    ({**GOOD, "base_url": "https://api.openai.com/v1?x=1"}, "base_url"),
    ({**GOOD, "base_url": "https://user@api.openai.com/v1"}, "base_url"),
    ({**GOOD, "base_url": "https://api.openai.com:port/v1"}, "base_url"),
    ({**GOOD, "base_url": "http://127.0.0.1.example.com/"}, "base_url"),
    ({**GOOD, "organization": "org\r\nx: y"}, "organization"),
    ({**GOOD, "timeouts": {"total": 5}}, "timeouts.total"),
    ({**GOOD, "timeouts": {"total_s": 0}}, "timeouts.total_s"),
    ({**GOOD, "timeouts": {"idle_s": "5"}}, "timeouts.idle_s"),
    ({**GOOD, "timeouts": []}, "timeouts"),
    ({**GOOD, "retries": 6}, "retries"),
    ({**GOOD, "retries": True}, "retries"),
    ({**GOOD, "models": []}, "models"),
    ({**GOOD, "models": {"m": "gpt"}}, "models.m"),
    ({**GOOD, "models": {"m": {}}}, "models.m.target"),
    ({**GOOD, "models": {"m": {"target": "x", "fallback": "y"}}}, "models.m.fallback"),
    ({**GOOD, "models": {"m": {"target": "x", "fallbacks": "y"}}}, "models.m.fallbacks"),
    ({**GOOD, "models": {"m": {"target": "x", "timeout_s": -1}}}, "models.m.timeout_s"),
    ({**GOOD, "client_keys": {}}, "client_keys"),
    ({**GOOD, "client_keys": [{"id": "a"}]}, "client_keys[0].sha256"),
    ({**GOOD, "client_keys": [{"id": "", "sha256": "a" * 64}]}, "client_keys[0].id"),
    ({**GOOD, "client_keys": [{"id": "a", "sha256": "short"}]}, "client_keys[0].sha256"),
    ({**GOOD, "cors_origins": ["https://a.example/path"]}, "cors_origins[0]"),
    ({**GOOD, "cors_origins": "*"}, "cors_origins"),
    ({**GOOD, "cors_origins": ["http://[x"]}, "cors_origins[0]"),
    ({**GOOD, "cors_origins": ["https://a.example\nx"]}, "cors_origins[0]"),
    ({**GOOD, "base_url": "https://a..b/v1"}, "base_url"),
    ({**GOOD, "base_url": f"https://{'a' * 64}.example/v1"}, "base_url"),
    ({**GOOD, "base_url": "https://exa mple.com/v1"}, "base_url"),
    ({**GOOD, "base_url": "https://example.com/v1 x"}, "base_url"),
    ({**GOOD, "base_url": "https://example.com/v1é"}, "base_url"),
    ({**GOOD, "base_url": "https://example.com/v1/../x"}, "base_url"),
    ({**GOOD, "base_url": "https://:pw@example.com/v1"}, "base_url"),
    ({**GOOD, "models": {"": {"target": "x"}}}, "models"),
    ({**GOOD, "models": {"m": {"target": "x\ny"}}}, "models.m.target"),
    ({**GOOD, "models": {"m": {"target": "x", "fallbacks": [""]}}}, "models.m.fallbacks[0]"),
    ({**GOOD, "client_keys": [{"id": " ", "sha256": "a" * 64}]}, "client_keys[0].id"),
    ({**GOOD, "client_keys": [{"id": "a" * 129, "sha256": "a" * 64}]}, "client_keys[0].id"),
    ({**GOOD, "client_keys": [{"id": "a", "sha256": "a" * 64}] * 2}, "client_keys[1].id"),
]
RIGHT: list[dict[str, Any]] = [
    GOOD,
    LOCAL,
    {**LOCAL, "api_key": "any-shape-of-another-provider"},
    {**GOOD, "organization": "org-1", "project": "", "retries": 0},
    {**GOOD, "timeouts": {"connect_s": 1, "first_byte_s": 2.5, "idle_s": 3, "total_s": 3600}},
    {**GOOD, "models": {"m": {"target": "x", "timeout_s": 3, "fallbacks": ["y"]}}},
    {**GOOD, "client_keys": [{"id": "a", "sha256": "Ab" * 32}], "cors_origins": ["*", "https://a.example:8443"]},
]


@pytest.mark.parametrize(("document", "field"), WRONG)
def test_the_wrong_field_is_named_and_no_key_is_told(document: Any, field: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check(document)
    assert caught.value.field == field
    assert caught.value.code == "SecretMalformed"
    assert caught.value.remedy
    assert "abcdefghijklmnop" not in str(caught.value.as_dict())


@pytest.mark.parametrize(("document", "field"), WRONG)
def test_the_proxy_refuses_what_is_refused_here(document: Any, field: str) -> None:
    with pytest.raises(SecretError):
        decode(json.dumps(document))


@pytest.mark.parametrize("document", RIGHT)
def test_the_proxy_takes_what_is_taken_here(document: dict[str, Any]) -> None:
    answer = check(document)
    observed = decode(json.dumps(document))
    assert dict(answer.models) == {alias: model.target for alias, model in observed.models.items()}
    assert list(answer.client_keys) == [client.id for client in observed.client_keys]
    assert tuple(answer.cors_origins) == observed.cors_origins


@pytest.mark.parametrize("key", ["sk-short", "pk-abcdefghijklmnop0123", "sk-abcdefghijkl mnop0123", "Bearer " + KEY])
def test_a_key_that_is_not_shaped_like_openais_is_refused_for_openai(key: str) -> None:
    for document in ({**GOOD, "api_key": key}, {**GOOD, "api_key": key, "base_url": "https://api.openai.com/v1"}):
        with pytest.raises(BadRequest) as caught:
            check(document)
        assert caught.value.field == "api_key"
        assert key not in caught.value.message


def test_what_is_kept_of_a_secret_holds_no_key() -> None:
    assert KEY not in repr(check(GOOD))


def test_what_secrets_manager_could_not_hold_is_refused_before_it_is_asked() -> None:
    with pytest.raises(BadRequest, match="65536"):
        check({**GOOD, "models": {f"m{number}": {"target": "x" * 200} for number in range(400)}})
