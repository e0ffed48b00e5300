"""What reaches the upstream and what comes back, byte for byte."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.functional.proxy.rig import rig
from tests.functional.proxy.upstream import CHAT, Upstream, chat, reply

KEY = "client-key-1"
CLIENTS = [{"id": "team-a", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
def test_paths_pass_with_and_without_the_leading_v1(path: str) -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(path)
    assert answer.json() == CHAT
    assert upstream.received[0].target == "/v1/chat/completions"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/files"),
        ("DELETE", "/v1/files/file-1"),
        ("GET", "/v1/batches?limit=2&after=b%201"),
        ("POST", "/v1/moderations"),
        ("POST", "/v1/some/path/that/comes/later"),
        ("PATCH", "/v1/whatever"),
    ],
)
def test_any_path_and_method_passes_with_its_query_string(method: str, path: str) -> None:
    with Upstream(reply(200, {"ok": True})) as upstream:
        assert rig(upstream.base_url).ask(path, method=method).json() == {"ok": True}
    assert (upstream.received[0].method, upstream.received[0].target) == (method, path)


def test_a_body_without_an_alias_arrives_byte_for_byte() -> None:
    body = b'{ "model" : "gpt-4o-mini",\n "temperature":1.0e0, "n":1, "n":2, "text":"\\u00e9\xc3\xa9" }'
    with Upstream(chat()) as upstream:
        rig(upstream.base_url, models={"fast": {"target": "x"}}).ask(body=body)
    assert upstream.received[0].body == body


def test_an_alias_becomes_its_target_and_no_other_byte_changes() -> None:
    body = b'{ "messages":[{"model":"fast"}], "model" : "fast",\n "temperature":1.0e0 }'
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url, models={"fast": {"target": "gpt-4o"}}).ask(body=body)
    assert upstream.received[0].body == body.replace(b'"model" : "fast"', b'"model" : "gpt-4o"')
    assert answer.header("x-proxy-model") == "gpt-4o"


def test_an_alias_in_a_multipart_form_is_exchanged_and_the_file_survives() -> None:
    audio = bytes(range(256)) * 20
    form = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + audio + b"\r\n--B\r\n"
        b'Content-Disposition: form-data; name="model"\r\n\r\nears\r\n--B--\r\n'
    )
    with Upstream(reply(200, {"text": "hi"})) as upstream:
        proxy = rig(upstream.base_url, models={"ears": {"target": "whisper-1"}})
        proxy.ask("/v1/audio/transcriptions", body=form, headers={"content-type": "multipart/form-data; boundary=B"})
    assert upstream.received[0].body == form.replace(b"ears", b"whisper-1")


def test_a_binary_answer_survives() -> None:
    speech = bytes(range(256)) * 1000
    with Upstream(reply(200, speech, kind="audio/mpeg")) as upstream:
        answer = rig(upstream.base_url).ask("/v1/audio/speech")
    assert answer.body == speech
    assert answer.header("content-type") == "audio/mpeg"


def test_the_callers_identity_stays_here_and_the_proxys_key_is_sent() -> None:
    private = {
        "authorization": f"Bearer {KEY}",
        "x-api-key": KEY,
        "cookie": "session=1",
        "x-amz-security-token": "token",
        "x-forwarded-for": "203.0.113.9",
        "origin": "https://app.example",
    }
    with Upstream(chat()) as upstream:
        rig(upstream.base_url, client_keys=CLIENTS).ask(headers=private)
    sent = dict(upstream.received[0].headers)
    assert sent["authorization"] == "Bearer sk-upstream"
    assert not set(sent) & (set(private) - {"authorization"})
    assert KEY not in str(upstream.received[0].headers)


def test_openai_and_idempotency_headers_pass_and_repeated_ones_stay_repeated() -> None:
    from proxy.message import Request

    supplied = (
        ("content-type", "application/json"),
        ("openai-beta", "assistants=v2"),
        ("openai-organization", "org-caller"),
        ("idempotency-key", "k1"),
        ("x-custom", "one"),
        ("x-custom", "two"),
    )
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, organization="org-secret", project="proj-secret")
        list(proxy.parts.proxy.respond(Request("POST", "/v1/x", "", supplied, b"{}", 1000)).body)
    sent = upstream.received[0].headers
    assert [value for name, value in sent if name == "x-custom"] == ["one", "two"]
    assert [value for name, value in sent if name == "openai-organization"] == ["org-caller"]
    assert [value for name, value in sent if name == "openai-project"] == ["proj-secret"]
    assert upstream.received[0].header("openai-beta") == "assistants=v2"
    assert upstream.received[0].header("idempotency-key") == "k1"


def test_upstream_errors_and_rate_limit_headers_pass_untouched() -> None:
    error = {"error": {"message": "Rate limit", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}
    limits = [
        ("retry-after", "20"),
        ("retry-after-ms", "20000"),
        ("x-should-retry", "false"),
        ("x-ratelimit-remaining-requests", "0"),
        ("openai-processing-ms", "12"),
        ("x-request-id", "req_1"),
        ("x-twice", "1"),
        ("x-twice", "2"),
    ]
    with Upstream(reply(429, error, limits)) as upstream:
        answer = rig(upstream.base_url).ask()
    assert (answer.status, answer.json()) == (429, error)
    passed = [pair for pair in answer.headers if pair in limits]
    assert passed == [pair for pair in limits if pair[0] != "x-request-id"]
    assert answer.header("x-upstream-request-id") == "req_1"


def test_a_given_request_id_is_echoed_sent_upstream_and_logged() -> None:
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url)
        answer = proxy.ask(headers={"x-request-id": "trace-42"})
    assert answer.header("x-request-id") == "trace-42"
    assert upstream.received[0].header("x-request-id") == "trace-42"
    assert proxy.lines()[-1]["request_id"] == "trace-42"


def test_an_unusable_request_id_is_replaced() -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(headers={"x-request-id": 'a"b c'}, gateway_id="gateway-1")
    assert answer.header("x-request-id") == "gateway-1"


def test_models_are_the_upstreams_with_the_aliases_added() -> None:
    listing = {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 5, "owned_by": "openai"}]}
    with Upstream(reply(200, listing)) as upstream:
        answer = rig(upstream.base_url, models={"fast": {"target": "gpt-4o"}}).ask("/v1/models", method="GET")
    added = {"id": "fast", "object": "model", "created": 5, "owned_by": "openai"}
    assert answer.json()["data"] == [*listing["data"], added]
    assert answer.header("content-length") == str(len(answer.body))


@pytest.mark.parametrize(
    ("alias", "path"),
    [("fast", "fast"), ("a/b", "a/b"), ("a/b", "a%2Fb"), ("a/b", "a%2fb"), ("my model", "my%20model")],
)
def test_one_alias_is_a_model_under_its_own_name(alias: str, path: str) -> None:
    model = {"id": "gpt-4o", "object": "model", "created": 5, "owned_by": "openai"}
    with Upstream(reply(200, model)) as upstream:
        answer = rig(upstream.base_url, models={alias: {"target": "gpt-4o"}}).ask(f"/v1/models/{path}", method="GET")
    assert answer.json() == {**model, "id": alias}
    assert upstream.received[0].target == "/v1/models/gpt-4o"


def test_the_upstreams_model_with_an_encoded_slash_is_asked_for_as_it_was() -> None:
    with Upstream(reply(200, {"id": "a/b"})) as upstream:
        assert rig(upstream.base_url).ask("/v1/models/a%2Fb", method="GET").status == 200
    assert upstream.received[0].target == "/v1/models/a%2Fb"


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/v1/../x", 400), ("/v1", 404)])
def test_an_own_answer_to_head_has_its_headers_and_no_body(path: str, status: int) -> None:
    answer = rig("http://127.0.0.1:9/v1").ask(path, method="HEAD")
    assert (answer.status, answer.body, answer.exchange.bytes_out) == (status, b"", 0)
    assert int(answer.header("content-length") or 0) > 0


def test_malformed_json_is_refused_in_openais_shape_without_asking_the_upstream() -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(body=b'{"model": "gpt-4o",}')
    assert answer.status == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert upstream.received == []


def test_a_body_over_the_doors_limit_is_a_413_before_the_upstream() -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(body=b"x" * 101, body_limit=100)
    assert (answer.status, answer.json()["error"]["code"]) == (413, "request_too_large")
    assert upstream.received == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1//evil.example/x",
        "//evil.example/x",
        "/v1/files/a%2f..%2fb",
        "/v1/models/..%2f..%2fadmin",
        "http://evil.example/v1/models",
        "/v1/a b",
        "/v1/a\r\nx: y",
        "/v1/models@evil.example:80/..",
    ],
)
def test_a_path_that_is_no_plain_path_never_leaves(path: str) -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(path, method="GET")
    assert answer.status == 400
    assert upstream.received == []


def test_no_host_from_a_request_is_ever_called() -> None:
    """Neither Host nor a forwarded host changes where the request goes or what it says."""
    with Upstream(chat()) as upstream:
        rig(upstream.base_url).ask(headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
    assert upstream.received[0].header("host") == f"127.0.0.1:{upstream.port}"


def test_a_header_that_would_become_two_is_refused() -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url).ask(headers={"x-custom": "a\r\nauthorization: Bearer stolen"})
    assert answer.status == 400
    assert upstream.received == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, None),
        ({"authorization": "Bearer wrong"}, "invalid_api_key"),
        ({"authorization": f"Basic {KEY}"}, None),
        ({"x-api-key": "wrong"}, "invalid_api_key"),
    ],
)
def test_a_missing_or_wrong_client_key_is_openais_401(headers: dict[str, str], code: str | None) -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url, client_keys=CLIENTS).ask(headers=headers)
    assert answer.status == 401
    assert answer.json()["error"]["code"] == code
    assert "wrong" not in answer.body.decode()
    assert upstream.received == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/x", "x-api-key": KEY},
    ],
)
def test_a_client_key_is_taken_from_bearer_or_beside_sigv4_and_its_id_is_logged(headers: dict[str, str]) -> None:
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, client_keys=CLIENTS)
        assert proxy.ask(headers=headers).status == 200
    line = proxy.lines()[-1]
    assert line["client"] == "team-a"
    assert ["environment", "client"] in line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]


def test_neither_a_key_nor_a_prompt_is_ever_logged() -> None:
    with Upstream(chat(choices=[{"message": {"content": "SECRET-ANSWER"}}])) as upstream:
        proxy = rig(upstream.base_url, client_keys=CLIENTS)
        proxy.ask(
            "/v1/chat/completions?user=SECRET-QUERY",
            headers={"authorization": f"Bearer {KEY}"},
            body={"model": "gpt-4o", "messages": [{"role": "user", "content": "SECRET-PROMPT"}]},
        )
        proxy.ask(headers={"authorization": "Bearer SECRET-WRONG"})
        proxy.store.text = '{"schema": 1, "api_key": "SECRET-API"'
        proxy.parts.secrets.replace({proxy.parts.secrets.get().upstream.api_key})
    logged = proxy.log.getvalue()
    assert len(proxy.lines()) == 2
    for word in ("SECRET", KEY, "sk-upstream"):
        assert word not in logged


def test_health_tells_the_public_nothing_and_the_candidates_caller_what_runs() -> None:
    proxy = rig("http://127.0.0.1:9/v1", models={"fast": {"target": "gpt-4o"}})
    assert proxy.ask("/health", method="GET").json() == {"status": "ok"}
    answer = proxy.ask("/health", method="GET", candidate=True)
    shown = answer.json()
    assert (shown["status"], shown["version"], shown["artifact"]) == ("ok", "7", "sha256:abc")
    assert (shown["secret"]["version_id"], shown["secret"]["models"]) == ("v1", ["fast"])
    assert "sk-upstream" not in answer.body.decode()


def test_health_is_503_without_a_usable_secret_and_requests_say_so() -> None:
    proxy = rig("http://127.0.0.1:9/v1")
    proxy.store.broken = True
    answer = proxy.ask("/health", method="GET")
    assert (answer.status, answer.json()) == (503, {"status": "unavailable"})
    assert proxy.ask("/health", method="GET", candidate=True).json()["reason"].endswith("AccessDeniedException.")
    assert proxy.ask().json()["error"]["code"] == "proxy_not_ready"


@pytest.mark.parametrize(("mode", "sent"), [("buffered", (204, b"")), ("stream", (200, b" "))])
def test_a_preflight_is_answered_without_upstream_or_key(mode: str, sent: tuple[int, bytes]) -> None:
    """With a byte where answers are streamed: those without a body were reported to hang (issue 10, row w)."""
    wanted = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-lang",
    }
    proxy = rig("http://127.0.0.1:9/v1", client_keys=CLIENTS, cors_origins=["https://app.example"], mode=mode)
    answer = proxy.ask(method="OPTIONS", headers=wanted)
    assert (answer.status, answer.body, answer.header("content-length")) == (*sent, "1" if sent[1] else None)
    assert answer.header("access-control-allow-origin") == "https://app.example"
    assert "POST" in (answer.header("access-control-allow-methods") or "")
    assert answer.header("access-control-allow-headers") == wanted["access-control-request-headers"]
    assert answer.header("vary") == "Origin"


@pytest.mark.parametrize(
    ("candidate", "headers", "status"),
    [
        (False, {}, 200),
        (False, {"access-control-request-method": "POST"}, 200),
        (True, {"access-control-request-method": "POST"}, 200),
        (True, {}, 204),
    ],
)
def test_in_stream_mode_only_the_check_of_the_candidate_gets_an_answer_without_a_body(
    candidate: bool, headers: dict[str, str], status: int
) -> None:
    answer = rig("http://127.0.0.1:9/v1").ask(method="OPTIONS", headers=headers, candidate=candidate)
    assert (answer.status, len(answer.body)) == (status, 1 if status == 200 else 0)


@pytest.mark.parametrize("origins", [["https://app.example"], ["*"], []])
def test_another_origin_gets_a_star_at_most_and_never_credentials(origins: list[str]) -> None:
    with Upstream(chat()) as upstream:
        answer = rig(upstream.base_url, cors_origins=origins).ask(headers={"origin": "https://evil.example"})
    assert answer.header("access-control-allow-origin") == ("*" if "*" in origins else None)
    assert answer.header("access-control-allow-credentials") is None


def test_errors_carry_cors_headers_too_and_show_the_request_id_to_scripts() -> None:
    proxy = rig("http://127.0.0.1:9/v1", client_keys=CLIENTS, cors_origins=["https://app.example"])
    answer = proxy.ask(headers={"origin": "https://app.example"})
    assert answer.status == 401
    assert answer.header("access-control-allow-origin") == "https://app.example"
    assert "x-request-id" in (answer.header("access-control-expose-headers") or "")


def test_the_upstreams_own_cors_headers_do_not_pass() -> None:
    with Upstream(reply(200, {}, [("access-control-allow-origin", "*")])) as upstream:
        answer = rig(upstream.base_url).ask(headers={"origin": "https://evil.example"})
    assert answer.header("access-control-allow-origin") is None


def test_a_request_is_one_line_with_its_metrics_by_model() -> None:
    with Upstream(chat()) as upstream:
        proxy = rig(upstream.base_url, models={"fast": {"target": "gpt-4o-mini"}})
        proxy.ask(body={"model": "fast", "messages": []})
        proxy.ask(body={"model": "fast", "messages": []})
    lines = proxy.lines()
    assert len(lines) == 2
    assert (lines[0]["cold_start"], lines[1]["cold_start"]) == (True, False)
    line = lines[1]
    assert (line["model"], line["target"], line["tokens_in"], line["tokens_out"]) == ("fast", "gpt-4o-mini", 9, 12)
    directive = line["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "proxyctl"
    assert directive["Dimensions"] == [["environment"], ["environment", "model"]]
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {
        "Requests": "Count",
        "Errors": "Count",
        "Overhead": "Milliseconds",
        "UpstreamLatency": "Milliseconds",
        "TimeToFirstByte": "Milliseconds",
        "FirstByteOverhead": "Milliseconds",
        "TokensIn": "Count",
        "TokensOut": "Count",
    }
    assert all(isinstance(line[name][0], float) for name in units)
    assert json.dumps(line).count('"_aws"') == 1


def test_before_a_release_users_get_503_and_the_candidates_testers_an_answer() -> None:
    with Upstream(chat()) as upstream:
        closed = rig(upstream.base_url, digest="unreleased")
        refused = closed.ask()
        assert (refused.status, refused.json()["error"]["code"]) == (503, "not_released")
        assert not upstream.received
        assert closed.ask(candidate=True).json() == CHAT
