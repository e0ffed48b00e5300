"""What two readers of a secret could understand differently is refused, and the field is named."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.secret.schema import SecretError, decode, targets_of

GOOD: dict[str, Any] = {"schema": 1, "api_key": "sk-SECRET"}
SHA = "ab" * 32
HEAD = '"schema": 2, "api_key": "sk-SECRET"'


def field_refused(text: str) -> str:
    with pytest.raises(SecretError) as refused:
        decode(text)
    assert "SECRET" not in str(refused.value)
    return refused.value.field


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (f'{{{HEAD}, "api_key": "sk-SECRET-2"}}', "api_key"),
        (f'{{{HEAD}, "api_\\u006bey": "sk-SECRET-2"}}', "api_key"),
        (f'{{{HEAD}, "client_keys": null, "client_keys": [{{"id": "a", "sha256": "{SHA}"}}]}}', "client_keys"),
        (f'{{{HEAD}, "models": {{"a": {{"target": "x"}}, "a": {{"target": "y"}}}}}}', "models.a"),
        (f'{{{HEAD}, "models": {{"a": {{"target": "x", "target": "x"}}}}}}', "models.a.target"),
        (f'{{{HEAD}, "client_keys": [{{"id": "a", "id": "b", "sha256": "{SHA}"}}]}}', "client_keys[0].id"),
        (f'{{{HEAD}, "unknown": [[{{"a": 1, "a": 1}}]]}}', "unknown[0][0].a"),
        (f'\ufeff{{{HEAD}, "retries": 0, "retries": 0}}', "retries"),
        ('{"": 1, "": 1}', ""),
    ],
)
def test_a_field_that_stands_twice_is_refused_at_any_depth(text: str, field: str) -> None:
    assert field_refused(text) == field


def test_an_object_in_a_list_is_told_from_a_list() -> None:
    """Objects pass through pairs on their way: neither an empty object nor a list of pairs may change its kind."""
    wrongs: list[object] = [[], [["target", "x"]], [[]]]
    for wrong in wrongs:
        assert field_refused(json.dumps({**GOOD, "models": {"a": wrong}})) == "models.a"
    assert decode(json.dumps({**GOOD, "models": {}})).models == {}


def test_an_empty_list_of_client_keys_is_refused_and_no_list_admits_everybody() -> None:
    assert field_refused(json.dumps({**GOOD, "client_keys": []})) == "client_keys"
    assert decode(json.dumps({**GOOD, "client_keys": None})).client_keys == ()
    assert decode(json.dumps(GOOD)).client_keys == ()


@pytest.mark.parametrize("second", [SHA, SHA.upper(), "aB" * 32])
def test_one_key_under_two_ids_is_refused(second: str) -> None:
    """Only one of their limits could count."""
    keys = [{"id": "a", "sha256": SHA, "expires": "2020-01-01T00:00:00Z"}, {"id": "b", "sha256": second}]
    assert field_refused(json.dumps({**GOOD, "schema": 2, "client_keys": keys})) == "client_keys[1].sha256"
    keys[1]["sha256"] = "cd" * 32
    assert len(decode(json.dumps({**GOOD, "schema": 2, "client_keys": keys})).client_keys) == 2


def test_the_digest_of_an_empty_key_is_refused() -> None:
    """`printf %s "$UNSET" | sha256sum`: a key that no caller can present."""
    keys = [{"id": "a", "sha256": hashlib.sha256(b"").hexdigest()}]
    assert field_refused(json.dumps({**GOOD, "client_keys": keys})) == "client_keys[0].sha256"


UPSTREAMS = {"azure": {"base_url": "https://x.openai.azure.com/openai/v1", "api_key": "az-SECRET"}}


@pytest.mark.parametrize(
    ("models", "field"),
    [
        ({"a": {"target": "x", "fallbacks": ["a"]}}, "models.a.fallbacks[0]"),
        ({"a": {"target": "x", "fallbacks": ["x"]}}, "models.a.fallbacks[0]"),
        ({"a": {"target": "x", "fallbacks": ["y", "y"]}}, "models.a.fallbacks[1]"),
        ({"a": {"target": "x", "fallbacks": ["y", "b"]}, "b": {"target": "y"}}, "models.a.fallbacks[1]"),
        ({"a": {"target": "x", "fallbacks": ["b"]}, "b": {"target": "x"}}, "models.a.fallbacks[0]"),
        ({"x": {"target": "y", "fallbacks": ["x"]}}, "models.x.fallbacks[0]"),
        ({"a": {"target": "x", "upstream": "azure", "fallbacks": ["x"]}}, "models.a.fallbacks[0]"),
        ({"a": {"target": "x", "fallbacks": ["b"]}, "b": {"target": "x", "upstream": "azure"}}, None),
        ({"a": {"target": "x", "fallbacks": ["b"]}, "b": {"target": "y", "fallbacks": ["a"]}}, None),
        ({"a": {"target": "a", "fallbacks": ["y"]}}, None),
    ],
)
def test_a_fallback_that_stands_for_what_was_tried_is_refused(models: dict[str, Any], field: str | None) -> None:
    """Two aliases may name each other: the fallbacks of a fallback are not tried."""
    text = json.dumps({**GOOD, "schema": 2, "upstreams": UPSTREAMS, "models": models})
    if field is None:
        decode(text)
    else:
        assert field_refused(text) == field


NAMES = st.sampled_from(["a", "b", "c", "x", "y"])
MODELS = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {"target": NAMES, "fallbacks": st.lists(NAMES, max_size=3)},
        optional={"upstream": st.just("azure")},
    ),
    max_size=3,
)


@given(MODELS)
def test_a_document_is_taken_exactly_when_no_request_would_try_one_model_twice(models: dict[str, Any]) -> None:
    text = json.dumps({**GOOD, "schema": 2, "upstreams": UPSTREAMS, "models": models})

    def tried(alias: str) -> list[tuple[str, str]]:
        own = models[alias]
        others = [models.get(name, {"target": name, "upstream": own.get("upstream", "")}) for name in own["fallbacks"]]
        return [(model["target"], model.get("upstream", "")) for model in (own, *others)]

    if all(len(set(tried(alias))) == len(tried(alias)) for alias in models):
        assert all(targets_of(alias, decode(text).models) == tried(alias) for alias in models)
    else:
        assert "fallbacks" in field_refused(text)
