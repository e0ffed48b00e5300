"""A client of the Lambda Runtime API (version 2018-06-01), over one keep-alive connection and the standard
library.

Source: AWS Lambda, "Using the Lambda runtime API for custom runtimes" and "Response streaming with a custom
runtime".
"""

from __future__ import annotations

import base64
import json
import select
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.http.client import Answer, exchange, read_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "/2018-06-01/runtime"


class RuntimeGone(Exception):
    """The Runtime API refuses or has closed: the environment is being taken down, the process must end."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event to answer."""

    id: str
    deadline_ms: int  # since the epoch
    event: bytes
    trace_id: str


class RuntimeApi:
    """Asks for invocations and answers them."""

    def __init__(self, address: str) -> None:
        self._host = address
        host, _, port = address.rpartition(":")
        self._address = (host.strip("[]"), int(port)) if host else (address, 80)
        self._sock = self._connect()

    def _connect(self) -> socket.socket:
        sock = socket.create_connection(self._address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _reconnect(self) -> None:
        self._sock.close()
        self._sock = self._connect()

    def _wake(self) -> None:
        """Connect anew if the other side has closed meanwhile. Raises RuntimeGone when it no longer listens."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        if poll.poll(0):
            try:
                self._reconnect()
            except OSError as error:
                raise RuntimeGone(f"the Runtime API is gone: {type(error).__name__}") from error

    def next(self) -> Invocation:
        """Wait, without limit, for the next invocation. Raises RuntimeGone."""
        answer = self._call("GET", f"{VERSION}/invocation/next", b"", {})
        if answer.status != 200:
            raise RuntimeGone(f"the Runtime API answered {answer.status} to next")
        return Invocation(
            answer.headers["lambda-runtime-aws-request-id"],
            int(answer.headers.get("lambda-runtime-deadline-ms", "0")),
            answer.body,
            answer.headers.get("lambda-runtime-trace-id", ""),
        )

    def answer(self, invocation_id: str, payload: bytes) -> int:
        """Hand over a buffered answer; the status that Lambda gives (202, or 413 when it is too large)."""
        return self._call("POST", f"{VERSION}/invocation/{invocation_id}/response", payload, {}).status

    def fail(self, invocation_id: str, error: BaseException) -> int:
        """Report that an invocation failed before anything was handed over."""
        return self._report(f"{VERSION}/invocation/{invocation_id}/error", error, "Function")

    def fail_init(self, error: BaseException) -> int:
        """Report that the process could not get ready."""
        return self._report(f"{VERSION}/init/error", error, "Runtime")

    def stream(self, invocation_id: str, content_type: str) -> ResponseStream:
        """Begin a streamed answer. Raises RuntimeGone."""
        self._wake()
        return ResponseStream(self._sock, self._host, f"{VERSION}/invocation/{invocation_id}/response", content_type)

    def _report(self, path: str, error: BaseException, category: str) -> int:
        kind = f"{category}.{type(error).__name__}"
        headers = {
            "lambda-runtime-function-error-type": kind,
            "content-type": "application/vnd.aws.lambda.error+json",
        }
        return self._call("POST", path, error_report(error), headers).status

    def _call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = f"content-length: {len(body)}\r\n" if method == "POST" else ""
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._host}\r\n{lines}{length}\r\n"
        # One write: head and body in two packets would meet the peer's delayed acknowledgement.
        payload = head.encode("latin-1") + body
        self._wake()
        try:
            return exchange(self._sock, payload, method)
        except OSError:
            # The other side closed in this very moment. Twice does no harm: an answer counts once by its id.
            try:
                self._reconnect()
                return exchange(self._sock, payload, method)
            except OSError as error:
                raise RuntimeGone(f"the Runtime API is gone: {type(error).__name__}") from error


class ResponseStream:
    """A streamed answer in progress: every write is one chunk on the wire, at once."""

    def __init__(self, sock: socket.socket, host: str, path: str, content_type: str) -> None:
        self._sock = sock
        self._head = (
            f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {content_type}\r\n"
            "lambda-runtime-function-response-mode: streaming\r\ntransfer-encoding: chunked\r\n"
            "trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
        ).encode("latin-1")

    def write(self, chunk: bytes) -> None:
        """Send bytes now. Raises RuntimeGone."""
        if chunk:
            self._send(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def end(self, error: BaseException | None = None) -> int:
        """End the answer, with error trailers if it broke; Lambda's status. Raises RuntimeGone."""
        trailers = b""
        if error is not None:
            kind = f"Function.{type(error).__name__}"
            report = base64.b64encode(error_report(error))
            trailers = (
                f"Lambda-Runtime-Function-Error-Type: {kind}\r\n".encode("latin-1")
                + b"Lambda-Runtime-Function-Error-Body: "
                + report
                + b"\r\n"
            )
        self._send(b"0\r\n" + trailers + b"\r\n")
        try:
            return read_answer(self._sock, "POST").status
        except OSError as gone:
            raise RuntimeGone(f"the Runtime API is gone: {type(gone).__name__}") from gone

    def _send(self, data: bytes) -> None:
        head, self._head = self._head, b""
        try:
            self._sock.sendall(head + data)
        except OSError as error:
            raise RuntimeGone(f"the Runtime API is gone: {type(error).__name__}") from error


def error_report(error: BaseException) -> bytes:
    """The error object that Lambda logs: a type, a message and where it was raised. Never the event."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    report = {
        "errorMessage": str(error)[:1024],
        "errorType": type(error).__name__,
        "stackTrace": frames[-10:],
    }
    return json.dumps(report).encode()
