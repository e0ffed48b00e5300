"""`python -m proxy` as a developer starts it: a process, a secret from a file or a variable, real streaming."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.proxy.environment import SecretsStandIn, secret_answer
from tests.functional.proxy.rig import local_server, rig, secret
from tests.functional.proxy.upstream import Upstream, chat, events, reply, stream

ROOT = Path(__file__).parents[4]
CHAT = b'{"model":"gpt-4o","messages":[]}'


@contextlib.contextmanager
def served(*arguments: str, **variables: str) -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """(host:port, the lines that it logs) of a `python -m proxy`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "proxy", "--port", "0", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines: queue.Queue[dict[str, Any]] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(json.loads(line))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        url: str = lines.get(timeout=20)["base_url"]
        yield url.removeprefix("http://").removesuffix("/v1"), lines
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
        reader.join(5)
        assert process.stdout is not None
        process.stdout.close()


@contextlib.contextmanager
def secrets_stand_in(answer: tuple[int, dict[str, Any]]) -> Iterator[str]:
    """The URL of a Secrets Manager that always answers so."""
    with SecretsStandIn([answer]) as standing:
        try:
            yield standing.url
        finally:
            standing.shutdown()


def post(address: str, path: str = "/v1/chat/completions", body: bytes = CHAT, **headers: str) -> Any:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("POST", path, body, {"content-type": "application/json", **headers})
    return connection.getresponse()


def test_it_serves_from_a_file_logs_one_line_a_request_and_takes_a_changed_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret.json"
    with Upstream(chat()) as first, Upstream(chat(id="second")) as second:
        file.write_text(json.dumps(secret(first.base_url)))
        with served("--secret-file", str(file), "--secret-ttl", "0") as (address, lines):
            assert post(address).status == 200
            line = lines.get(timeout=5)
            file.write_text(json.dumps(secret(second.base_url)))
            assert json.loads(post(address).read())["id"] == "second"
    assert (line["message"], line["status"], line["tokens_out"]) == ("request", 200, 12)


def test_it_takes_the_secret_from_a_variable_that_a_flag_names() -> None:
    with Upstream(chat()) as upstream:
        text = json.dumps(secret(upstream.base_url))
        with served("--secret-env", "MY_SECRET", MY_SECRET=text) as (address, _):
            assert post(address).status == 200
    assert upstream.received[0].header("authorization") == "Bearer sk-upstream"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--secret-env", "NO_SUCH_VARIABLE"], ": the variable NO_SUCH_VARIABLE is not set\n"),
        (["--secret-env", "PATH", "--secret-ttl", "-1"], "between 0 and 86400"),
        (["--secret-env", "PATH", "--secret-ttl", "nan"], "between 0 and 86400"),
        (["--secret-env", "PATH", "--max-body-mb", "0"], "less than 1"),
        (["--secret-arn", "sk-SECRET"], "not the ARN of a secret"),
        (["--secret-file", sys.executable], "not UTF-8"),
        (["--secret-file", "no-such-file.json"], "no-such-file.json: No such file"),
        (["--secret-file", str(ROOT / "pyproject.toml")], "not JSON"),
        ([], "required"),
        (["--api-key", "sk-1"], "required"),
    ],
)
def test_a_secret_that_cannot_be_used_is_one_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proxy", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert said in done.stderr
    assert "SECRET" not in done.stderr


def test_a_secret_in_secrets_manager_is_read_before_anybody_is_served() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"
    with secrets_stand_in((400, {"__type": "AccessDeniedException"})) as url:
        done = subprocess.run(
            [sys.executable, "-m", "proxy", "--secret-arn", arn],
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": url},
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "400 AccessDeniedException" in done.stderr
    with (
        Upstream(chat()) as upstream,
        secrets_stand_in(secret_answer(upstream.base_url)) as url,
        served("--secret-arn", arn, AWS_ENDPOINT_URL=url) as (address, _),
    ):
        assert post(address).status == 200


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_is_none_is_one_line_and_exit_code_2(port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proxy", "--secret-env", "S", "--port", port],
        cwd=ROOT,
        env={**os.environ, "S": json.dumps(secret("http://127.0.0.1:9/v1"))},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "from 0 to 65535" in done.stderr


def test_a_taken_port_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "proxy", "--secret-env", "S", "--port", str(taken.getsockname()[1])],
            cwd=ROOT,
            env={**os.environ, "S": json.dumps(secret("http://127.0.0.1:9/v1"))},
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.returncode == 2
    assert "Choose another --port" in done.stderr


def test_a_chunk_arrives_before_the_upstream_sends_the_next() -> None:
    chunks = events("a", "b", "c")
    gates = [threading.Event() for _ in chunks[1:]]
    with Upstream(stream(chunks, gates=gates)) as upstream, local_server(rig(upstream.base_url).parts) as url:
        response = post(url.removeprefix("http://").removesuffix("/v1"))
        for number, chunk in enumerate(chunks):
            assert response.read1(65_536) == chunk
            if number < len(gates):
                gates[number].set()
        assert response.read() == b""


def test_a_broken_stream_is_visibly_incomplete() -> None:
    with (
        Upstream(stream(events("a", done=False), end="cut")) as upstream,
        local_server(rig(upstream.base_url).parts) as url,
    ):
        response = post(url.removeprefix("http://").removesuffix("/v1"))
        with pytest.raises(http.client.IncompleteRead) as broken:
            response.read()
    assert b'"code": "upstream_disconnected"' in broken.value.partial


def test_a_chunked_request_body_arrives_whole() -> None:
    with Upstream(chat()) as upstream, local_server(rig(upstream.base_url).parts) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://").removesuffix("/v1"), timeout=10)
        pieces = iter([CHAT[:5], CHAT[5:]])
        connection.request(
            "POST", "/v1/chat/completions", pieces, {"content-type": "application/json"}, encode_chunked=True
        )
        assert connection.getresponse().read()
        connection.request("POST", "/v1/chat/completions", CHAT, {"content-type": "application/json"})
        assert connection.getresponse().status == 200
    assert [received.body for received in upstream.received] == [CHAT, CHAT]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_a_413_and_is_not_read_to_its_end(chunked: bool) -> None:
    with Upstream(chat()) as upstream, local_server(rig(upstream.base_url).parts, body_limit=1000) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://").removesuffix("/v1"), timeout=10)
        body: Any = iter([b"x" * 600, b"x" * 600]) if chunked else b"x" * 1200
        connection.request("POST", "/v1/files", body, {"content-type": "x/y"}, encode_chunked=chunked)
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["error"]["code"]) == (413, "request_too_large")
    assert upstream.received == []


@pytest.mark.parametrize("raw", [b"content-length: x\r\n\r\n", b"transfer-encoding: chunked\r\n\r\nzz\r\n"])
def test_a_body_of_no_readable_length_is_a_400(raw: bytes) -> None:
    with local_server(rig("http://127.0.0.1:9/v1").parts) as url:
        host, _, port = url.removeprefix("http://").removesuffix("/v1").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"POST /v1/x HTTP/1.1\r\nhost: localhost\r\n" + raw)
            client.shutdown(socket.SHUT_WR)
            assert client.makefile("rb").readline().startswith(b"HTTP/1.1 400")


def test_a_head_request_has_no_body_and_the_connection_goes_on() -> None:
    with Upstream(reply(200, {"data": []})) as upstream, local_server(rig(upstream.base_url).parts) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://").removesuffix("/v1"), timeout=10)
        for method in ("HEAD", "GET", "OPTIONS", "GET"):
            connection.request(method, "/v1/files")
            response = connection.getresponse()
            response.read()
            assert response.status in (200, 204)
    assert upstream.connections == 1
