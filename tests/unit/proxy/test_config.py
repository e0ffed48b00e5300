"""The secret's shape: what is wrong is named, and no value of it is ever told."""

import json
from typing import Any

import pytest

from proxy.config import ConfigError, Model, Timeouts, decode

GOOD: dict[str, Any] = {"schema": 1, "api_key": "sk-SECRET"}
SHA = "ab" * 32


def test_two_fields_are_enough() -> None:
    config = decode(json.dumps(GOOD), "v9")
    assert (config.scheme, config.host, config.port, config.base_path) == ("https", "api.openai.com", 443, "/v1")
    assert (config.api_key, config.version_id, config.retries) == ("sk-SECRET", "v9", 2)
    assert config.timeouts == Timeouts()


def test_everything_is_read() -> None:
    config = decode(
        json.dumps(
            {
                **GOOD,
                "base_url": "http://127.0.0.1:8000/v1/",
                "organization": "org",
                "project": "proj",
                "models": {"fast": {"target": "gpt-4o-mini", "timeout_s": 20, "fallbacks": ["gpt-4o"]}},
                "timeouts": {"connect_s": 1, "first_byte_s": 2, "idle_s": 3, "total_s": 4},
                "retries": 0,
                "client_keys": [{"id": "a", "sha256": SHA}],
                "cors_origins": ["*", "http://localhost:3000"],
            }
        )
    )
    assert (config.scheme, config.host, config.port, config.base_path) == ("http", "127.0.0.1", 8000, "/v1")
    assert config.models == {"fast": Model("gpt-4o-mini", 20.0, ("gpt-4o",))}
    assert config.timeouts == Timeouts(1.0, 2.0, 3.0, 4.0)
    assert config.client_keys == (("a", bytes.fromhex(SHA)),)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"schema": 2}, "schema"),
        ({"schema": True}, "schema"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": None}, "api_key"),
        ({"api_key": "sk\r\nx: y"}, "api_key"),
        ({"api_key": "sk-é"}, "api_key"),
        ({"client_key": []}, "client_key"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "http://api.example/v1"}, "https"),
        ({"base_url": "http://127.evil.example/v1"}, "https"),
        ({"base_url": "https://user:pw@x/v1"}, "base_url"),
        ({"base_url": "https://x/v1?a=b"}, "base_url"),
        ({"base_url": "https://x:port/"}, "base_url"),
        ({"organization": 3}, "organization"),
        ({"models": []}, "models"),
        ({"models": {"a": "gpt"}}, "models.a"),
        ({"models": {"a": {"target": ""}}}, "models.a.target"),
        ({"models": {"a": {"target": "x", "timeout": 3}}}, "models.a.timeout"),
        ({"models": {"a": {"target": "x", "timeout_s": 0}}}, "models.a.timeout_s"),
        ({"models": {"a": {"target": "x", "fallbacks": "y"}}}, "models.a.fallbacks"),
        ({"timeouts": {"connect": 1}}, "timeouts.connect"),
        ({"timeouts": {"idle_s": True}}, "timeouts.idle_s"),
        ({"timeouts": {"idle_s": 1e9}}, "timeouts.idle_s"),
        ({"retries": 9}, "retries"),
        ({"retries": True}, "retries"),
        ({"client_keys": {}}, "client_keys"),
        ({"client_keys": [{"id": "a"}]}, "client_keys[0]"),
        ({"client_keys": [{"id": "", "sha256": SHA}]}, "client_keys[0].id"),
        ({"client_keys": [{"id": "a", "sha256": "xyz"}]}, "client_keys[0].sha256"),
        ({"client_keys": [{"id": "a", "sha256": SHA[:-2]}]}, "client_keys[0].sha256"),
        ({"cors_origins": ["app.example"]}, "cors_origins[0]"),
        ({"cors_origins": ["https://app.example/"]}, "cors_origins[0]"),
        ({"cors_origins": "*"}, "cors_origins"),
    ],
)
def test_a_wrong_field_is_named_and_no_value_told(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        decode(json.dumps({**GOOD, **change}))
    assert named in str(refused.value)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "sk-SECRET", "[]", '"sk-SECRET"'])
def test_what_is_no_json_object_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        decode(text)
    assert "SECRET" not in str(refused.value)


def test_a_configs_repr_shows_no_key() -> None:
    config = decode(json.dumps({**GOOD, "client_keys": [{"id": "a", "sha256": SHA}]}))
    assert "SECRET" not in repr(config)
    assert "client_keys" not in repr(config)
