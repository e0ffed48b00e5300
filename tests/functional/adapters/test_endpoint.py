"""The endpoint adapter against real sockets: deadlines, broken answers, and the signature that API Gateway checks."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from chalicelib.adapters.endpoint import HttpEndpoint
from chalicelib.domain.errors import AwsCallFailed

from tests.functional.load.servers import server

KEYS = Credentials("AKIDEXAMPLE", "secret", "token")


def endpoint() -> HttpEndpoint:
    return HttpEndpoint("eu-central-1", KEYS)


def answer(content: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + head + content


def failure(url: str, timeout_s: float = 5) -> AwsCallFailed:
    with pytest.raises(AwsCallFailed) as raised:
        endpoint().call("GET", url, signed=False, timeout_s=timeout_s)
    return raised.value


def test_an_answer_comes_with_its_status_headers_and_body() -> None:
    reported = answer(b"ok", b"X-One: 1\r\nx-two: a\r\nX-Two: b\r\ncontent-length: 2\r\n\r\n")
    with server(lambda *_: reported) as (url, observed):
        reply = endpoint().call("POST", f"{url}path?q=1", {"x-mine": "1"}, b"body", signed=False, timeout_s=5)
    assert (reply.status, reply.body, reply.cut) == (200, b"ok", "")
    assert (reply.headers["x-one"], reply.headers["x-two"]) == ("1", "a, b")
    assert observed.heads[0].startswith(b"POST /path?q=1 HTTP/1.1\r\n")
    assert b"x-mine: 1\r\n" in observed.heads[0]
    assert 0 < reply.first_byte_ms <= reply.elapsed_ms


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_is_sent_to_a_private_address_whatever_name_leads_there(host: str) -> None:
    """A name that resolved to a public address when it was configured may resolve to another one by now."""
    with server(lambda *_: answer(b"", b"content-length: 0\r\n\r\n")) as (url, observed):
        address = url.replace("127.0.0.1", host)
        with pytest.raises(AwsCallFailed, match="which is no address of the internet") as refused:
            endpoint().call("POST", address, {}, b"body", signed=False, timeout_s=5, public=True)
        assert refused.value.code == "EndpointUnreachable"
        assert observed.heads == []
        endpoint().call("POST", address, {}, b"body", signed=False, timeout_s=5)
        assert len(observed.heads) == 1


@contextlib.contextmanager
def speaking(say: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server for one request, which it answers by what `say` does with its socket; its URL."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            with contextlib.suppress(OSError):  # a caller that has given up
                say(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        thread.join(5)
        listening.close()


@pytest.mark.parametrize(
    "head", [b"content-length: 10\r\n\r\nshort", b"transfer-encoding: chunked\r\n\r\n5\r\nshort\r\n"]
)
def test_a_body_that_breaks_off_is_told_with_what_had_come(head: bytes) -> None:
    with speaking(lambda connection: connection.sendall(answer(b"", head))) as url:
        reply = endpoint().call("GET", url, signed=False, timeout_s=5)
    assert (reply.body, reply.cut) == (b"short", "dropped")


def test_a_server_that_is_not_there_a_hang_up_and_nonsense_are_told_apart() -> None:
    with server() as (url, _):
        pass
    assert failure(url).evidence["kind"] == "connect"
    with server(lambda *_: None) as (url, _):
        assert failure(url).evidence["kind"] == "dropped"
    with server(lambda *_: b"this is not HTTP\r\n\r\n") as (url, _):
        assert failure(url).evidence["kind"] == "protocol"


def test_the_deadline_holds_for_all_of_a_call_not_for_each_read() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(answer(b"", b"content-length: 1000\r\n\r\n"))
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    with speaking(drip) as url:
        reply = endpoint().call("GET", url, signed=False, timeout_s=0.4)
    assert reply.cut == "timeout"
    assert 0 < len(reply.body) < 100


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with server(lambda *_: 30.0) as (url, _):
        assert failure(url, timeout_s=0.3).evidence["kind"] == "timeout"


def test_a_signature_covers_the_body_and_is_for_execute_api() -> None:
    signed = endpoint().sign("POST", "https://abc.execute-api.eu-central-1.amazonaws.com/api/_candidate/v1", b"body")
    assert re.search(r"Credential=AKIDEXAMPLE/\d{8}/eu-central-1/execute-api/aws4_request", signed["Authorization"])
    assert signed["X-Amz-Security-Token"] == "token"
    other = endpoint().sign("POST", "https://abc.execute-api.eu-central-1.amazonaws.com/api/_candidate/v1", b"other")
    assert other["Authorization"] != signed["Authorization"]


def test_the_signature_is_botocores_own() -> None:
    url = "https://abc.execute-api.eu-central-1.amazonaws.com/api/_candidate/health"
    signed = endpoint().sign("GET", url, b"")
    again = AWSRequest("GET", url, data=b"")
    again.context["timestamp"] = signed["X-Amz-Date"]
    signer = SigV4Auth(KEYS, "execute-api", "eu-central-1")
    signer._modify_request_before_signing(again)
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert signed["Authorization"].endswith(f"Signature={signature}")
