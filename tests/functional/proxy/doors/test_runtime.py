"""The loop in a process of its own, from an artifact-like folder, against a stand-in of the Lambda Runtime API."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.proxy.environment import ARN, Environment, secret_answer
from tests.functional.proxy.runtime_standin import rest_event
from tests.functional.proxy.upstream import Upstream, chat, events, keep_silent, reply, stream

CHAT_BODY = json.dumps({"model": "gpt-4o", "messages": []})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(chat()) as result:
        yield result


@pytest.fixture
def streaming(artifact_folder: Path, upstream: Upstream) -> Iterator[Environment]:
    limits = {"connect_s": 1.0, "first_byte_s": 5.0, "idle_s": 0.3, "total_s": 10.0}
    environment = Environment(artifact_folder, [secret_answer(upstream.base_url, timeouts=limits)], "stream").ready()
    yield environment
    if environment.process.poll() is None:
        environment.end()


def test_the_prelude_its_eight_nuls_and_the_body_arrive_byte_for_byte(streaming: Environment) -> None:
    posted = streaming.runtime.call(rest_event("/v1/chat/completions", "POST", CHAT_BODY))
    assert posted.path == "/2018-06-01/runtime/invocation/invocation-1/response"
    assert posted.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert posted.headers["transfer-encoding"] == "chunked"
    assert posted.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    head, zeros, body = posted.body.partition(b"\0\0\0\0\0\0\0\0")
    assert zeros
    assert not body.startswith(b"\0")
    assert json.loads(body)["choices"][0]["message"]["content"] == "Hi."
    prelude = json.loads(head)
    assert set(prelude) == {"statusCode", "headers", "multiValueHeaders", "cookies"}
    assert prelude["statusCode"] == 200
    assert prelude["headers"]["x-request-id"] == "gateway-request-1"
    assert prelude["headers"]["x-upstream-request-id"] == "req_upstream"
    assert posted.trailers == {}


def test_the_content_type_of_a_stream_can_be_switched(artifact_folder: Path, upstream: Upstream) -> None:
    """Which one API Gateway wants only an account shows: config.compatibility.stream_content_type."""
    answers = [secret_answer(upstream.base_url)]
    environment = Environment(artifact_folder, answers, "stream", STREAM_CONTENT_TYPE="octet-stream").ready()
    try:
        posted = environment.runtime.call(rest_event("/v1/chat/completions", "POST", CHAT_BODY))
    finally:
        environment.end()
    assert posted.headers["content-type"] == "application/octet-stream"
    assert posted.body.partition(b"\0\0\0\0\0\0\0\0")[1]


def test_a_chunk_reaches_lambda_before_the_upstream_sends_the_next(streaming: Environment, upstream: Upstream) -> None:
    chunks = events("a", "b", "c")
    gates = [threading.Event() for _ in chunks[1:]]
    upstream.script.append(stream(chunks, gates=gates))
    streaming.runtime.invoke(rest_event("/v1/chat/completions", "POST", CHAT_BODY))
    arrived = streaming.runtime.progress
    assert arrived.get(timeout=5)[1].endswith(b"\0" * 8)  # the head goes out before there is any body
    for number, chunk in enumerate(chunks):
        assert arrived.get(timeout=5)[1] == chunk
        if number < len(gates):
            gates[number].set()
    assert streaming.runtime.posted.get(timeout=5).trailers == {}


@pytest.mark.parametrize(
    ("end", "code"), [("cut", "upstream_disconnected"), ("clean", "stream_truncated"), ("stall", "idle_timeout")]
)
def test_a_stream_that_dies_ends_in_an_error_event_and_in_the_trailers(
    streaming: Environment, upstream: Upstream, end: str, code: str
) -> None:
    upstream.script.append(stream(events("a", done=False), end=end))
    posted = streaming.runtime.call(rest_event("/v1/chat/completions", "POST", CHAT_BODY))
    _, body = posted.prelude()
    last = body.strip().rpartition(b"\n\n")[2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == code
    assert posted.trailers["lambda-runtime-function-error-type"] == "Function.StreamBroken"
    report = json.loads(base64.b64decode(posted.trailers["lambda-runtime-function-error-body"]))
    assert report["errorType"] == "StreamBroken"
    assert streaming.runtime.call(rest_event("/health")).prelude()[0]["statusCode"] == 200


def test_binary_and_multipart_bodies_survive_byte_for_byte(streaming: Environment, upstream: Upstream) -> None:
    audio = bytes(range(256)) * 300
    form = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + audio + b"\r\n--B--\r\n"
    upstream.script.append(reply(200, audio, kind="audio/mpeg"))
    event = rest_event(
        "/v1/audio/transcriptions",
        "POST",
        base64.b64encode(form).decode(),
        headers={"content-type": "multipart/form-data; boundary=B"},
        encoded=True,
        query={"include[]": ["logprobs", "x y"]},
    )
    _, body = streaming.runtime.call(event).prelude()
    assert body == audio
    assert upstream.received[0].body == form
    assert upstream.received[0].target == "/v1/audio/transcriptions?include%5B%5D=logprobs&include%5B%5D=x%20y"


def test_repeated_headers_have_a_place_of_their_own_in_the_prelude_and_cookies_do_not_pass(
    streaming: Environment, upstream: Upstream
) -> None:
    headers = [("set-cookie", "a=1"), ("x-twice", "1"), ("x-twice", "2")]
    upstream.script.append(reply(200, {}, headers))
    prelude, _ = streaming.runtime.call(rest_event("/v1/x", "POST", "{}")).prelude()
    assert prelude["cookies"] == []
    assert prelude["multiValueHeaders"] == {"x-twice": ["1", "2"]}


def test_an_event_that_is_no_http_request_fails_its_invocation_only(streaming: Environment) -> None:
    posted = streaming.runtime.call({"Records": []})
    assert posted.path.endswith("/invocation/invocation-1/error")
    assert posted.headers["lambda-runtime-function-error-type"] == "Function.EventError"
    assert posted.json()["errorType"] == "EventError"
    assert streaming.runtime.call(rest_event("/health")).prelude()[0]["statusCode"] == 200


def test_an_invocation_ends_before_lambda_would_end_it(streaming: Environment, upstream: Upstream) -> None:
    upstream.script.append(keep_silent)
    posted = streaming.runtime.call(rest_event("/v1/chat/completions", "POST", CHAT_BODY), timeout_s=0.9)
    prelude, body = posted.prelude()
    assert prelude["statusCode"] == 504
    assert json.loads(body)["error"]["code"] == "total_timeout"


def test_upstream_connections_live_on_between_invocations(streaming: Environment, upstream: Upstream) -> None:
    for _ in range(5):
        streaming.runtime.call(rest_event("/v1/chat/completions", "POST", CHAT_BODY))
    assert upstream.connections == 1


def test_a_frozen_environment_wakes_with_a_dead_connection_and_loses_nothing(
    streaming: Environment, upstream: Upstream
) -> None:
    """SIGSTOP is what Lambda's freeze looks like from inside; the upstream closes meanwhile."""
    for _ in range(5):
        posted = streaming.runtime.call(rest_event("/v1/chat/completions", "POST", CHAT_BODY))
        assert posted.prelude()[0]["statusCode"] == 200
        assert streaming.runtime.polls.acquire(timeout=5)
        os.kill(streaming.process.pid, signal.SIGSTOP)
        upstream.drop_connections()
        os.kill(streaming.process.pid, signal.SIGCONT)
    assert len(upstream.received) == 5


def test_a_thousand_invocations_leave_memory_and_files_where_they_were(
    artifact_folder: Path, upstream: Upstream
) -> None:
    environment = Environment(artifact_folder, [secret_answer(upstream.base_url)], "stream").ready()
    event = rest_event("/v1/chat/completions", "POST", CHAT_BODY)
    try:
        for _ in range(200):
            environment.runtime.call(event)
        before = _footprint(environment.process.pid)
        for _ in range(1000):
            environment.runtime.call(event)
        after = _footprint(environment.process.pid)
    finally:
        code, lines = environment.end()
    assert (code, len(lines), upstream.connections) == (0, 1200, 1)
    assert after[1] == before[1], "open files"
    assert after[0] - before[0] < 1024, "resident KiB"
    assert after[0] <= 45 * 1024, "resident KiB"


def test_buffered_answers_are_one_json_object(artifact_folder: Path, upstream: Upstream) -> None:
    environment = Environment(artifact_folder, [secret_answer(upstream.base_url)], "buffered").ready()
    upstream.script += [chat(), stream(events("a")), reply(200, b"\xff\xfe", kind="audio/mpeg")]
    event = rest_event("/v1/chat/completions", "POST", CHAT_BODY)
    try:
        plain, streamed, binary = (environment.runtime.call(event) for _ in range(3))
    finally:
        _, lines = environment.end()
    assert "transfer-encoding" not in plain.headers
    assert json.loads(plain.json()["body"])["choices"]
    assert streamed.json()["body"] == b"".join(events("a")).decode()
    assert streamed.json()["headers"]["content-type"] == "text/event-stream"
    assert (binary.json()["isBase64Encoded"], binary.json()["body"]) == (True, base64.b64encode(b"\xff\xfe").decode())
    assert [line["function_request_id"] for line in lines] == ["invocation-1", "invocation-2", "invocation-3"]


def test_a_buffered_answer_over_lambdas_limit_is_a_502_that_says_so(artifact_folder: Path, upstream: Upstream) -> None:
    environment = Environment(artifact_folder, [secret_answer(upstream.base_url)], "buffered").ready()
    upstream.script.append(reply(200, b"x" * 6_300_000, kind="text/plain"))
    try:
        answer = environment.runtime.call(rest_event("/v1/files/f/content")).json()
    finally:
        environment.end()
    assert answer["statusCode"] == 502
    assert json.loads(answer["body"])["error"]["code"] == "response_too_large"
    assert answer["headers"]["x-request-id"] == "gateway-request-1"


def test_the_candidates_caller_is_told_what_runs_and_nobody_else(artifact_folder: Path, upstream: Upstream) -> None:
    answers = [secret_answer(upstream.base_url)]
    environment = Environment(artifact_folder, answers, "buffered", ARTIFACT_DIGEST="sha256:1").ready()
    spoofed = rest_event("/health", headers={"x-forwarded-user": "arn:aws:iam::1:role/x"})
    spoofed["path"] = "/_candidate/health"
    try:
        shown = environment.runtime.call(rest_event("/health", candidate=True)).json()
        public = environment.runtime.call(rest_event("/health")).json()
        fooled = environment.runtime.call(spoofed).json()
    finally:
        environment.end()
    assert json.loads(shown["body"])["artifact"] == "sha256:1"
    assert json.loads(public["body"]) == {"status": "ok"}
    assert "artifact" not in fooled["body"]


@pytest.mark.parametrize("variable", ["SECRET_ARN", "RESPONSE_MODE", "SECRET_TTL_S", "STREAM_CONTENT_TYPE"])
def test_a_wrong_variable_is_an_init_error_that_names_it(artifact_folder: Path, variable: str) -> None:
    wrong: dict[str, Any] = {variable: "" if variable == "SECRET_ARN" else "nonsense"}
    environment = Environment(artifact_folder, [secret_answer("http://127.0.0.1:9/v1")], "stream", **wrong)
    posted = environment.runtime.posted.get(timeout=20)
    code, _ = environment.end()
    assert posted.path == "/2018-06-01/runtime/init/error"
    assert posted.headers["lambda-runtime-function-error-type"] == "Runtime.SettingsError"
    assert variable in posted.json()["errorMessage"]
    assert code == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (400, {"__type": "com.amazonaws#AccessDeniedException"}),
            "Secrets Manager answered 400 AccessDeniedException",
        ),
        ((200, {"SecretString": "[" * 60_000, "VersionId": "v1"}), "the secret is not JSON"),
    ],
)
def test_a_secret_that_cannot_be_used_at_init_is_no_reason_to_die(
    artifact_folder: Path, upstream: Upstream, answer: tuple[int, dict[str, Any]], said: str
) -> None:
    environment = Environment(artifact_folder, [answer, secret_answer(upstream.base_url)], "buffered").ready()
    try:
        first = environment.runtime.call(rest_event("/health")).json()
    finally:
        _, lines = environment.end()
    assert first["statusCode"] == 503
    assert lines[0]["reason"] == said
    assert [line["SecretFailures"] for line in lines if "SecretFailures" in line] == [[1.0]]


def test_the_secret_is_asked_for_by_arn_with_a_signature_and_the_session_token(streaming: Environment) -> None:
    headers, body = streaming.secrets.requests[0]
    assert json.loads(body) == {"SecretId": ARN, "VersionStage": "AWSCURRENT"}
    assert headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert "/eu-central-1/secretsmanager/aws4_request" in headers["authorization"]
    assert headers["x-amz-security-token"] == "token"


def test_the_first_line_has_the_time_that_init_took(streaming: Environment) -> None:
    streaming.runtime.call(rest_event("/health"))
    streaming.runtime.call(rest_event("/health"))
    _, lines = streaming.end()
    assert lines[0]["ColdStart"] == [1.0]
    assert 10 < lines[0]["InitDuration"][0] < 10_000
    assert "InitDuration" not in lines[1]


def test_the_artifact_needs_nothing_but_itself_and_the_standard_library(artifact_folder: Path) -> None:
    matches = {path.suffix for path in artifact_folder.rglob("*") if path.is_file()}
    assert not matches & {".so", ".pyd", ".dylib"}
    script = (
        "import proxy.doors.runtime; from proxy.telemetry import Telemetry as T; from proxy.clock import SYSTEM as S; "
    )
    script += "T('dev', 'INFO', S).secret_failed('x')"
    done = subprocess.run(
        [sys.executable, "-s", "-S", "-E", "-c", script], cwd=artifact_folder, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["reason"] == "x"


def _footprint(pid: int) -> tuple[int, int]:
    """(resident KiB, open files; 0 where the system does not show them) of a process."""
    resident = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True).stdout
    descriptors = Path(f"/proc/{pid}/fd")
    return int(resident), len(list(descriptors.iterdir())) if descriptors.is_dir() else 0


def test_text_that_no_output_can_carry_neither_stops_the_loop_nor_loses_the_line(
    streaming: Environment, upstream: Upstream
) -> None:
    strange = rest_event("/v1/\ud800", "POST", '{"model": "\\ud800"}', headers={"authorization": "Bearer \ud800"})
    streaming.runtime.call(strange)
    assert streaming.runtime.call(rest_event("/v1/x", "POST", '{"model": "\\ud800"}')).prelude()[0]["statusCode"] == 200
    streaming.runtime.call(rest_event("/v1/x", "POST", "\ud800"))
    _, lines = streaming.end()
    assert [line["function_request_id"] for line in lines] == ["invocation-1", "invocation-2", "invocation-3"]
    assert lines[1]["target"] == "?"


def test_a_runtime_api_that_closes_an_idle_connection_is_connected_to_again(streaming: Environment) -> None:
    streaming.runtime.close_after_answer = True
    for _ in range(3):
        assert streaming.runtime.call(rest_event("/health")).prelude()[0]["statusCode"] == 200


def test_a_method_that_is_none_is_refused(streaming: Environment, upstream: Upstream) -> None:
    posted = streaming.runtime.call(rest_event("/v1/x", "GET /evil HTTP/1.1\r\nx: y\r\n\r\n"))
    assert posted.prelude()[0]["statusCode"] == 405
    assert upstream.received == []


def test_a_caller_that_hangs_up_in_mid_stream_costs_its_own_answer_only(
    streaming: Environment, upstream: Upstream
) -> None:
    upstream.script.append(stream(events(*"abcdefgh"), delay_s=0.03))
    streaming.runtime.hang_up_after_chunks = 3
    streaming.runtime.invoke(rest_event("/v1/chat/completions", "POST", CHAT_BODY))
    for _ in range(3):
        streaming.runtime.progress.get(timeout=5)
    streaming.runtime.hang_up_after_chunks = 0
    assert streaming.runtime.call(rest_event("/health")).prelude()[0]["statusCode"] == 200
    code, lines = streaming.end()
    assert (code, lines[0]["error"], lines[0]["Errors"]) == (0, "caller_gone", [0.0])
