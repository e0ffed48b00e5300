"""The control plane stores a secret exactly when the proxy reads it: both use proxy/secret/schema.py.

This fails when the control plane adds a rule of its own (beside the shape of an OpenAI key and the size), or raises
another exception than BadRequest.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from chalicelib.domain import errors, secret_schema
from chalicelib.domain.aws import secrets as aws_secrets
from chalicelib.domain.described import secret_document
from jsonschema import Draft202012Validator

from proxy.secret import cache, schema, store


def _words(text: str) -> list[str]:
    return text.split()


SECRET: dict[str, Any] = {"schema": 1, "api_key": "sk-proj-abcdefghijklmnop0123"}
SHA = "aB" * 32
ODD: list[Any] = [None, {}, [], 0, 1, 1.0, True, "", "1", -1, 6, 1e9, 10**400, float("nan")]
NAMES = ["a", "a/b c", "ж" * 128, "ж" * 129, "x" * 256, "x" * 257, " ", "a\n", "a\x7f", "\ud800", "\u2028"]
HOSTS = [
    *_words("x api.example EXAMPLE.com a-b.c 127.0.0.1 127.1 localhost [::1] [2001:DB8::1] " + "a" * 63),
    *_words("-a.x a-.x a..b .a a. a_b ä.x me@x :pw@x @x x\\y 127.evil.example ² " + "a" * 64),
    *_words("[::g] [::1 ::1 a[::1] [::1]a [fe80::1%1] [1.2.3.4] [v1.x] []"),
    *["", "a b", "a\tb", "a\n", "a" + ".a" * 126, "a" + ".a" * 127],
]
PORTS = ["", *_words(":1 :65535 : :0 :65536 :123456 :+1 :x :\u0664 :1:1 :00080")]
PATHS = ["", "/a b", "/v1\n", *_words("/ /v1 /v1/ //v1 /a%20~._- /.a /a.. /. /a/../b /%2e%2E /é ? # /v1?a=b /v1#a")]
ORIGINS = [
    *_words("* https://a.example http://localhost:3000 http://[::1]:1 capacitor://localhost https://A.example"),
    *_words("null a.example https:// https://a/ https://a? https://a# //a HTTP://a https://me@a https://ä.example"),
    *["http://[x", "https://a:", "https://a:port", "https://a:123456", "https://a b", "https://a\n", "https://a\tb"],
]


def _base_urls() -> Iterator[Any]:
    yield from ODD
    for parts in itertools.chain(
        itertools.product(["https://"], HOSTS, ["", ":1"], ["", "/v1"]),
        itertools.product(["https://x", "https://[::1]"], PORTS, PATHS),
        itertools.product(["http://", "HTTPS://", "ftp://", "https:", "https:/", "", " https://", "ht\ntp://"], HOSTS),
    ):
        yield "".join(parts)


def _models() -> Iterator[Any]:
    yield from ODD
    for name in NAMES:
        yield {name: {"target": "x"}}
        yield {"m": {"target": name}}
        yield {"m": {"target": "x", "fallbacks": [name]}}
    for odd in ODD:
        yield {"m": odd}
        for field in ("target", "timeout_s", "fallbacks", "unknown"):
            yield {"m": {"target": "x", field: odd}}
        yield {"m": {"target": "x", "fallbacks": [odd]}}


def _client_keys() -> Iterator[Any]:
    yield from ODD
    good = {"id": "a", "sha256": SHA}
    for other in [*ODD, *NAMES]:
        yield [{**good, "id": other}]
        yield [{**good, "sha256": other}]
        yield [good, {**good, "id": other}]
    for digest in (SHA[1:], SHA + "0", " ".join(["ab"] * 32), "²" * 64, "g" * 64):
        yield [{**good, "sha256": digest}]
    yield from ([odd] for odd in ODD)
    yield [{**good, "unknown": 1}]


def _changes() -> Iterator[dict[str, Any]]:
    """What may stand in a secret, rightly and wrongly, field by field."""
    texts = ["org", "o r g", " o", "o\n", "ö", "\ud800"]
    yield from ({"base_url": value} for value in _base_urls())
    yield from ({"models": value} for value in _models())
    yield from ({"client_keys": value} for value in _client_keys())
    yield from ({"cors_origins": value} for value in [*ODD, *([origin] for origin in [*ORIGINS, *ODD])])
    yield from ({"timeouts": {name: value}} for name in ("idle_s", "idle", "\ud800") for value in ODD)
    yield from ({name: value} for name in ("organization", "project") for value in [*texts, *ODD])
    yield from ({name: value} for name in ("schema", "timeouts", "retries", "unknown", "\ud800") for value in ODD)
    other = "https://api.example/v1"  # at OpenAI the control plane looks closer at a key: a person waits
    yield from (
        {"base_url": other, "api_key": value} for value in [*ODD, " " + SECRET["api_key"], SECRET["api_key"] + "\n"]
    )


def _changes_of_2() -> Iterator[dict[str, Any]]:
    upstream = {"base_url": "https://x.example/v1", "api_key": "k"}
    caller = {"id": "a", "sha256": SHA}
    yield from ({"upstreams": value} for value in [*ODD, *({name: upstream} for name in NAMES)])
    for odd in [
        *ODD,
        "bearer",
        "api-key",
        {"api-version": "2024-10-21"},
        {"a b": "c"},
        {"a": "b&c"},
        ["fast"],
        ["\ud800"],
    ]:
        yield from ({"upstreams": {"u": {**upstream, name: odd}}} for name in (*upstream, "auth", "query", "unknown"))
        yield {"upstreams": {"u": upstream}, "models": {"m": {"target": "x", "upstream": odd}}}
        yield from ({"client_keys": [{**caller, name: odd}]} for name in ("models", "requests_per_minute", "expires"))
    times = ["2027-01-31T00:00:00Z", "2027-02-30T00:00:00Z", "2027-01-31T00:00:00", "9999-12-31T23:59:59-23:59", "x"]
    yield from ({"client_keys": [{**caller, "expires": text}]} for text in times)
    yield {"upstreams": {"u": upstream}, "models": {"m": {"target": "x", "upstream": "u"}}}


def test_the_control_plane_and_the_proxy_give_one_verdict_on_every_secret() -> None:
    verdicts = {True: 0, False: 0}
    for change in itertools.chain(_changes(), ({"schema": 2, **change} for change in [*_changes(), *_changes_of_2()])):
        text = json.dumps({**SECRET, **change})
        stored, served = _takes(secret_schema.check, json.loads(text)), _takes(schema.decode, text)
        assert stored == served, change
        verdicts[stored] += 1
    assert min(verdicts.values()) > 100  # neither takes, nor refuses, nearly everything


def test_the_published_schema_takes_every_secret_that_the_proxy_reads() -> None:
    """The other way round it is wider: hosts, names of upstreams and OpenAI's keys are in no schema."""
    parts = secret_document.schemas("#/$defs/{name}")
    whole = Draft202012Validator({"$ref": "#/$defs/SecretDocument", "$defs": parts})
    patch = Draft202012Validator({"$ref": "#/$defs/SecretPatch", "$defs": parts})
    refused_by_both = 0
    for change in itertools.chain(_changes(), ({"schema": 2, **change} for change in [*_changes(), *_changes_of_2()])):
        document = json.loads(json.dumps({**SECRET, **change}))
        if _takes(schema.read, document):
            assert whole.is_valid(document), change
            assert patch.is_valid(change), change
        else:
            refused_by_both += not whole.is_valid(document)
    assert refused_by_both > 300


def _takes(read: Any, secret: Any) -> bool:
    try:
        read(secret)
    except (errors.BadRequest, schema.SecretError):
        return False
    return True


def test_both_sides_name_the_pending_version_alike_and_wait_as_long() -> None:
    assert (aws_secrets.CURRENT, aws_secrets.PENDING) == (store.CURRENT, store.PENDING)
    assert aws_secrets.CANDIDATE_TTL_S >= cache.CANDIDATE_TTL_S
