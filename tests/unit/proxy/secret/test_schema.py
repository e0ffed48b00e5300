"""The schema of the secret: the wrong field is named, and no message holds a value."""

import json
from typing import Any

import pytest

from proxy.secret.schema import ClientKey, Config, Model, SecretError, Timeouts, decode

GOOD: dict[str, Any] = {"schema": 1, "api_key": "sk-SECRET"}
SHA = "ab" * 32
GOOD_2: dict[str, Any] = {
    **GOOD,
    "schema": 2,
    "upstreams": {"azure": {"base_url": "https://x.openai.azure.com/openai/v1", "api_key": "az-SECRET"}},
}


def _parts(config: Config) -> tuple[str, str, int, str]:
    upstream = config.upstream
    return upstream.scheme, upstream.host, upstream.port, upstream.base_path


def test_two_fields_are_enough() -> None:
    config = decode(json.dumps(GOOD), "v9")
    assert _parts(config) == ("https", "api.openai.com", 443, "/v1")
    assert (config.upstream.api_key, config.version_id, config.retries) == ("sk-SECRET", "v9", 2)
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
    assert _parts(config) == ("http", "127.0.0.1", 8000, "/v1")
    assert config.models == {"fast": Model("gpt-4o-mini", 20.0, ("gpt-4o",))}
    assert config.timeouts == Timeouts(1.0, 2.0, 3.0, 4.0)
    assert config.client_keys == (ClientKey("a", bytes.fromhex(SHA)),)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"schema": 3}, "schema"),
        ({"schema": "1"}, "schema"),
        ({"schema": [1]}, "schema"),
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
        ({"base_url": "https://a..b/v1"}, "base_url"),
        ({"base_url": "https://.a/v1"}, "base_url"),
        ({"base_url": f"https://{'a' * 64}.example/v1"}, "base_url"),
        ({"base_url": "https://exa mple.com/v1"}, "base_url"),
        ({"base_url": "https://exa\tmple.com/v1"}, "base_url"),
        ({"base_url": "https://exämple.com/v1"}, "base_url"),
        ({"base_url": "https://a_b.example/v1"}, "base_url"),
        ({"base_url": "https://:pw@x/v1"}, "base_url"),
        ({"base_url": "https://@x/v1"}, "base_url"),
        ({"base_url": "https://x:/v1"}, "base_url"),
        ({"base_url": "https://x:0/v1"}, "base_url"),
        ({"base_url": "https://x:65536/v1"}, "base_url"),
        ({"base_url": "https://x:٤٤٣/v1"}, "base_url"),
        ({"base_url": "https://x/v1 x"}, "base_url"),
        ({"base_url": "https://x/v1é"}, "base_url"),
        ({"base_url": "https://x/v1\n"}, "base_url"),
        ({"base_url": "https://x/v1?"}, "base_url"),
        ({"base_url": "https://x/v1#"}, "base_url"),
        ({"base_url": "https://x/v1/../y"}, "base_url"),
        ({"base_url": "https://x/v1/%2E./y"}, "base_url"),
        ({"base_url": "https://x/."}, "base_url"),
        ({"base_url": "https://[::g]/v1"}, "base_url"),
        ({"base_url": "https://[x/v1"}, "base_url"),
        ({"base_url": "https://a[::1]/v1"}, "base_url"),
        ({"base_url": "https://[::1]a/v1"}, "base_url"),
        ({"base_url": "https://[fe80::1%eth0]/v1"}, "base_url"),
        ({"base_url": "https:///v1"}, "base_url"),
        ({"base_url": ""}, "base_url"),
        ({"organization": 3}, "organization"),
        ({"models": []}, "models"),
        ({"models": {"a": "gpt"}}, "models.a"),
        ({"models": {"a": {"target": ""}}}, "models.a.target"),
        ({"models": {"": {"target": "x"}}}, "models"),
        ({"models": {"a\nb": {"target": "x"}}}, "models"),
        ({"models": {"a\ud800": {"target": "x"}}}, "models"),
        ({"models": {"a" * 257: {"target": "x"}}}, "models"),
        ({"models": {"a": {"target": "x\n"}}}, "models.a.target"),
        ({"models": {"a": {"target": "\ud800"}}}, "models.a.target"),
        ({"models": {"a": {"target": "x" * 257}}}, "models.a.target"),
        ({"models": {"a": {"target": "x", "fallbacks": ["y\r"]}}}, "models.a.fallbacks"),
        ({"models": {"a": {"target": "x", "fallbacks": ["y" * 257]}}}, "models.a.fallbacks"),
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
        ({"client_keys": [{"id": "  ", "sha256": SHA}]}, "client_keys[0].id"),
        ({"client_keys": [{"id": "a\x07", "sha256": SHA}]}, "client_keys[0].id"),
        ({"client_keys": [{"id": "a" * 129, "sha256": SHA}]}, "client_keys[0].id"),
        ({"client_keys": [{"id": "a", "sha256": SHA}, {"id": "a", "sha256": "cd" * 32}]}, "client_keys[1].id"),
        ({"client_keys": [{"id": "a", "sha256": "xyz"}]}, "client_keys[0].sha256"),
        ({"client_keys": [{"id": "a", "sha256": " ".join(["ab"] * 32)}]}, "client_keys[0].sha256"),
        ({"client_keys": [{"id": "a", "sha256": SHA[:-2]}]}, "client_keys[0].sha256"),
        ({"cors_origins": ["app.example"]}, "cors_origins[0]"),
        ({"cors_origins": ["https://app.example/"]}, "cors_origins[0]"),
        ({"cors_origins": ["http://[x"]}, "cors_origins[0]"),
        ({"cors_origins": ["*", "http://x:port"]}, "cors_origins[1]"),
        ({"cors_origins": ["https://a.example "]}, "cors_origins[0]"),
        ({"cors_origins": ["https://a.exa\nmple"]}, "cors_origins[0]"),
        ({"cors_origins": ["https://a.example#frag"]}, "cors_origins[0]"),
        ({"cors_origins": ["https://a.example?"]}, "cors_origins[0]"),
        ({"cors_origins": ["https://me@a.example"]}, "cors_origins[0]"),
        ({"cors_origins": ["https://ä.example"]}, "cors_origins[0]"),
        ({"cors_origins": ["https://:80"]}, "cors_origins[0]"),
        ({"cors_origins": [None]}, "cors_origins[0]"),
        ({"cors_origins": "*"}, "cors_origins"),
        ({"\ud800": 1}, "\\ud800"),
        ({"timeouts": {"\ud800": 1}}, "timeouts.\\ud800"),
    ],
)
def test_a_wrong_field_is_named_and_no_value_shown(change: dict[str, Any], named: str) -> None:
    with pytest.raises(SecretError) as refused:
        decode(json.dumps({**GOOD, **change}))
    assert named in str(refused.value)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://x", ("https", "x", 443, "")),
        ("HTTPS://API.Example:65535/v1/", ("https", "api.example", 65_535, "/v1")),
        ("https://[2001:DB8::1]:8443/a/b.c~d_e-f%20g", ("https", "2001:db8::1", 8443, "/a/b.c~d_e-f%20g")),
        ("http://[::1]:80/..a", ("http", "::1", 80, "/..a")),
        ("http://localhost:1/v1", ("http", "localhost", 1, "/v1")),
        (f"https://{'a' * 63}.example/v1", ("https", f"{'a' * 63}.example", 443, "/v1")),
    ],
)
def test_a_base_url_is_taken_apart(url: str, parts: tuple[str, str, int, str]) -> None:
    config = decode(json.dumps({**GOOD, "base_url": url}))
    assert _parts(config) == parts


def test_names_of_models_and_callers_may_have_any_script_and_slashes() -> None:
    config = decode(
        json.dumps(
            {**GOOD, "models": {"a/ü b": {"target": "ж" * 256}}, "client_keys": [{"id": "Zoë 1", "sha256": SHA}]}
        )
    )
    assert config.models["a/ü b"].target == "ж" * 256
    assert config.client_keys[0].id == "Zoë 1"


@pytest.mark.parametrize("text", ["", "sk-SECRET", "[]", '"sk-SECRET"', "[" * 60_000])
def test_what_is_no_json_object_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(SecretError) as refused:
        decode(text)
    assert "SECRET" not in str(refused.value)


def test_a_configs_repr_shows_no_key() -> None:
    config = decode(json.dumps({**GOOD, "client_keys": [{"id": "a", "sha256": SHA}]}))
    assert "SECRET" not in repr(config)
    assert SHA not in repr(config)
    assert str(bytes.fromhex(SHA)) not in repr(config)


def test_schema_2_has_upstreams_and_limits_of_callers() -> None:
    azure = {**GOOD_2["upstreams"]["azure"], "auth": "api-key", "query": {"api-version": "2024-10-21"}}
    caller = {"id": "a", "sha256": SHA, "models": ["fast"], "requests_per_minute": 1.5}
    document = {
        **GOOD_2,
        "upstreams": {"azure": azure},
        "models": {"fast": {"target": "gpt-4o", "upstream": "azure"}},
        "client_keys": [{**caller, "expires": "2027-01-31T01:00:00+01:00"}],
    }
    config = decode(json.dumps(document))
    assert config.schema == 2
    assert config.upstream_named("azure").api_key == "az-SECRET"
    assert config.upstream_named("azure").query == "api-version=2024-10-21"
    assert config.upstream_named("") is config.upstream
    assert config.models["fast"].upstream == "azure"
    (client,) = config.client_keys
    assert client == ClientKey("a", bytes.fromhex(SHA), frozenset({"fast"}), 1.5, 1_801_353_600.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"upstreams": []}, "upstreams"),
        ({"upstreams": {"": {}}}, "upstreams"),
        ({"upstreams": {"a": {"api_key": "k"}}}, "upstreams.a.base_url"),
        ({"upstreams": {"a": {"base_url": "https://x"}}}, "upstreams.a.api_key"),
        ({"upstreams": {"a": {"base_url": "http://x", "api_key": "k"}}}, "upstreams.a.base_url"),
        ({"upstreams": {"a": {"base_url": "https://x", "api_key": "k", "models": {}}}}, "upstreams.a.models"),
        ({"upstreams": {"a": {"base_url": "https://x", "api_key": "k", "auth": "basic"}}}, "upstreams.a.auth"),
        ({"upstreams": {"a": {"base_url": "https://x", "api_key": "k", "query": {"a": "b&c"}}}}, "upstreams.a.query"),
        ({"upstreams": {"a": {"base_url": "https://x", "api_key": "k", "query": {"a": 1}}}}, "upstreams.a.query"),
        ({"auth": 1}, "auth"),
        ({"models": {"m": {"target": "x", "upstream": "gone"}}}, "models.m.upstream"),
        ({"models": {"m": {"target": "x", "upstream": []}}}, "models.m.upstream"),
        ({"models": {"m": {"target": "x", "upstream": ""}}}, "models.m.upstream"),
        ({"client_keys": [{"id": "a", "sha256": SHA, "models": "m"}]}, "client_keys[0].models"),
        ({"client_keys": [{"id": "a", "sha256": SHA, "models": [1]}]}, "client_keys[0].models[0]"),
        ({"client_keys": [{"id": "a", "sha256": SHA, "requests_per_minute": 0}]}, "client_keys[0].requests_per_minute"),
        ({"client_keys": [{"id": "a", "sha256": SHA, "expires": "2027-01-31"}]}, "client_keys[0].expires"),
        ({"client_keys": [{"id": "a", "sha256": SHA, "expires": "2027-13-31T00:00:00Z"}]}, "client_keys[0].expires"),
        ({"client_keys": [{"id": "a", "sha256": SHA, "expires": 5}]}, "client_keys[0].expires"),
    ],
)
def test_a_wrong_field_of_schema_2_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(SecretError) as refused:
        decode(json.dumps({**GOOD_2, **change}))
    assert refused.value.field == named
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"upstreams": {}}, "upstreams"),
        ({"auth": "bearer"}, "auth"),
        ({"models": {"m": {"target": "x", "upstream": "azure"}}}, "models.m.upstream"),
        ({"client_keys": [{"id": "a", "sha256": SHA, "expires": "2027-01-31T00:00:00Z"}]}, "client_keys[0].expires"),
    ],
)
def test_what_schema_2_added_is_refused_in_schema_1_with_a_hint(change: dict[str, Any], named: str) -> None:
    with pytest.raises(SecretError) as refused:
        decode(json.dumps({**GOOD, **change}))
    assert refused.value.field == named
    assert '"schema": 2' in refused.value.remedy


def test_a_byte_order_mark_before_the_document_is_ignored() -> None:
    assert decode("\ufeff" + json.dumps(GOOD)).upstream.api_key == "sk-SECRET"
