"""Which headers pass: nothing of one connection, of a caller's credentials, or of the upstream's own origin."""

from __future__ import annotations

import hashlib
import socket
from typing import Any

import pytest

from tests.functional.proxy.rig import rig
from tests.functional.proxy.upstream import Upstream, chat, reply

KEY = "CLIENTKEY-123"
CLIENTS = [{"id": "shop", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]

CREDENTIALS = [
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-functions-key",
    "x-auth-token",
    "x-access-token",
    "proxy-authorization",
    "cookie",
    "cf-access-client-secret",
    "x-amz-security-token",
    "helicone-auth",
    "openai_api_key",
    "x-litellm-api-key",
    "x-key",
    "key",
    "x-rapidapi-key",
    "x-portkey-virtual-key",
    "x-bf-vk",
    "x-pat",
    "authtoken",
    "x-csrftoken",
    "x-apikey",
    "x-session-token",
    "signature",
    "signature-input",
    "client-cert",
    "ssl-client-cert",
    "remote-user",
    "x-passphrase",
    "dpop",
    "x-otp",
    "x-vercel-protection-bypass",
    "x-ms-client-principal",
    "x-ms-client-principal-id",
    "x-webauth-user",
    "x-goog-authenticated-user-email",
    "tailscale-user-login",
    "cf-connecting-ip",
    "fly-client-ip",
    "x-azure-clientip",
]


@pytest.mark.parametrize("name", CREDENTIALS)
def test_no_credential_of_the_caller_goes_up_under_any_name(name: str) -> None:
    headers = {"authorization": f"Bearer {KEY}", name: "another-secret"}
    with Upstream(chat()) as upstream:
        assert rig(upstream.base_url, client_keys=CLIENTS).ask(headers=headers).status == 200
    assert "another-secret" not in str(upstream.received[0].headers)
    assert upstream.received[0].header("authorization") == "Bearer sk-upstream"


@pytest.mark.parametrize("presented", ["authorization", "x-api-key", "api-key"])
def test_the_callers_key_does_not_go_up_wherever_else_it_stands(presented: str) -> None:
    value = f"Bearer {KEY}" if presented == "authorization" else KEY
    headers = {presented: value, "x-anything": f"v1;{KEY}", "user-agent": "x"}
    with Upstream(chat()) as upstream:
        assert rig(upstream.base_url, client_keys=CLIENTS).ask(headers=headers).status == 200
    assert KEY not in str(upstream.received[0].headers)
    assert upstream.received[0].header("user-agent") == "x"


def test_no_credential_goes_up_in_a_query_and_the_rest_of_it_stays_as_it_is() -> None:
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, client_keys=CLIENTS)
        path = f"/v1/chat/completions?a=%20b&api-key=x&k={KEY}&include%5B%5D=c&access_token=y"
        path += "&key=z&api%5Fkey=w&page_token=1"
        assert proxy.ask(path, headers={"authorization": f"Bearer {KEY}"}).status == 200
        assert proxy.ask(f"/v1/chat/completions?k={KEY}", headers={"x-api-key": KEY}).status == 200
    targets = [request.target.partition("?")[2] for request in upstream.received]
    assert targets == ["a=%20b&include%5B%5D=c&page_token=1", ""]


@pytest.mark.parametrize(
    "name",
    [
        "idempotency-key",
        "x-idempotency-key",
        "prompt-cache-key",
        "x-cache-key",
        "openai-beta",
        "x-stainless-retry-count",
        "session_id",
        "traceparent",
        "x-author",
        "x-patch",
        "x-max-tokens",
    ],
)
def test_what_is_no_credential_passes(name: str) -> None:
    with Upstream(chat()) as upstream:
        rig(upstream.base_url).ask(headers={name: "value-1"})
    assert upstream.received[0].header(name) == "value-1"


def test_what_connection_names_goes_neither_up_nor_down() -> None:
    named = [("connection", "X-Hop, keep-alive"), ("x-hop", "1"), ("keep-alive", "timeout=5"), ("x-end", "2")]
    with Upstream(reply(200, {}, named)) as upstream:
        answer = rig(upstream.base_url).ask(headers=dict(named))
    for headers in (dict(upstream.received[0].headers), dict(answer.headers)):
        assert headers["x-end"] == "2"
        assert not {"x-hop", "connection", "keep-alive"} & set(headers)


ORIGIN = [
    ("alt-svc", 'h3=":443"'),
    ("strict-transport-security", "max-age=1"),
    ("set-cookie", "a=b; Domain=.api.openai.com"),
    ("content-security-policy", "default-src 'none'"),
    ("server-timing", "db;dur=1"),
    ("nel", "{}"),
    ("report-to", "{}"),
    ("clear-site-data", '"*"'),
    ("refresh", "1; url=https://x"),
    ("integrity-policy", "blocked-destinations=(script)"),
    ("attribution-reporting-register-source", "{}"),
    ("secure-session-registration", "(ES256)"),
    ("sec-websocket-accept", "x"),
    ("referrer-policy", "origin"),
    ("access-control-allow-origin", "*"),
    ("access-control-allow-credentials", "true"),
]


@pytest.mark.parametrize(("name", "value"), ORIGIN)
def test_what_binds_to_the_upstreams_origin_does_not_come_down(name: str, value: str) -> None:
    with Upstream(reply(200, {}, [(name, value), (name.title(), value)])) as upstream:
        answer = rig(upstream.base_url).ask()
    assert answer.header(name) is None


def test_the_proxys_own_headers_appear_once_whatever_the_upstream_sends() -> None:
    names = (
        "x-request-id",
        "x-upstream-request-id",
        "x-proxy-overhead-ms",
        "x-proxy-upstream-ms",
        "x-proxy-model",
        "vary",
    )
    sent = [(name, "Origin" if name == "vary" else "theirs") for name in names for _ in range(2)]
    allowed = "https://a.example"
    with Upstream(reply(200, {}, sent[:-1])) as upstream:
        proxy = rig(upstream.base_url, models={"fast": {"target": "m"}}, cors_origins=[allowed])
        answer = proxy.ask(body={"model": "fast"}, headers={"origin": allowed})
    counts = {name: [key for key, _ in answer.headers].count(name) for name in names}
    assert counts == dict.fromkeys(names, 1)
    assert (answer.header("x-upstream-request-id"), answer.header("x-proxy-model")) == ("theirs", "m")


def test_a_length_beside_chunks_is_dropped_and_its_connection_not_used_again() -> None:
    def both(_: Upstream, __: Any, client: socket.socket) -> bool:
        client.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-length: 60\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        )
        return True

    with Upstream(both) as upstream:
        proxy = rig(upstream.base_url)
        answers = [proxy.ask() for _ in range(2)]
    assert [(answer.body, answer.header("content-length")) for answer in answers] == [(b"{}", None)] * 2
    assert upstream.connections == 2


@pytest.mark.parametrize(
    ("location", "path", "expected"),
    [
        ("{base}/files/y", "/v1/files/x", "y"),
        ("{base}/files/y?a=b#c", "/v1/files/x/content", "../y?a=b#c"),
        ("/v1/batches/1", "/v1/files/x", "../batches/1"),
        ("../files/", "/v1/batches/1", "../files/"),
        ("y", "/v1/files/x", "y"),
        ("https://storage.example/signed?sig=1", "/v1/files/x", "https://storage.example/signed?sig=1"),
        ("/admin", "/v1/files/x", None),
        ("{origin}/admin", "/v1/files/x", None),
        ("https://127.0.0.1/v1/files/y", "/v1/files/x", None),
        ("http://127.0.0.1:1/v1/files/y", "/v1/files/x", None),
        ("HTTP://user@127.0.0.1.:{port}/v1/files/y", "/v1/files/x", "y"),
        ("//[bad", "/v1/files/x", None),
        ("javascript:alert(1)", "/v1/files/x", None),
    ],
)
def test_a_redirect_does_not_show_where_the_upstream_is(location: str, path: str, expected: str | None) -> None:
    with Upstream(chat()) as upstream:
        origin = upstream.base_url.removesuffix("/v1")
        value = location.replace("{base}", upstream.base_url).replace("{origin}", origin)
        value = value.replace("{port}", str(upstream.port))
        upstream.script.append(reply(307, {}, [("location", value), ("content-location", value)]))
        answer = rig(upstream.base_url).ask(path, method="GET")
    assert (answer.header("location"), answer.header("content-location")) == (expected, expected)
    assert str(upstream.port) not in str(answer.headers)
