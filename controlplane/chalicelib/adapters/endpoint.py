"""HTTP behind `ports.endpoint`: http.client, and botocore's SigV4 for the service execute-api."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from chalicelib.domain.aws.http import Reply
from chalicelib.domain.errors import AccessDenied, AwsCallFailed
from chalicelib.domain.webhook_url import is_public_address

from . import meter

_CHUNK = 65_536


class HttpEndpoint:
    """See the Protocol. Credentials are the process's own: in Lambda, those of the function's role."""

    def __init__(self, region: str, credentials: Any = None) -> None:
        self._region = region
        self._given = credentials

    @cached_property
    def _credentials(self) -> Any:
        credentials = self._given or boto3.Session().get_credentials()
        if credentials is None:
            raise AccessDenied(
                "there are no AWS credentials to sign requests with",
                remedy="Run under a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            )
        return credentials

    def sign(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        # Only host and x-amz-date get signed: what a hop on the way does to other headers must not matter.
        request = AWSRequest(method=method, url=url, data=body)
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        signed: bool,
        timeout_s: float,
        public: bool = False,
    ) -> Reply:
        sent = dict(headers or {})
        if signed:
            sent |= self.sign(method, url, body)
        began = time.perf_counter()
        connection = _connection(url, timeout_s)
        try:
            if public:
                _refuse_private(connection)
            return _exchange(connection, method, url, sent, body, began, timeout_s)
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a host that idna refuses
            raise AwsCallFailed(
                f"{method} {url}: {type(error).__name__}: {error}",
                code="EndpointUnreachable",
                remedy="Open the URL by hand; if it answers there, run the deployment again.",
                evidence={"kind": _kind(error), "url": url},
            ) from error
        finally:
            connection.close()
            meter.count_request(time.perf_counter() - began)


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_s)


def _refuse_private(connection: http.client.HTTPConnection) -> None:
    """Connect, and look where to: the name may resolve to another address than when somebody looked before."""
    connection.connect()
    address = str(connection.sock.getpeername()[0])
    if not is_public_address(address):
        raise PermissionError(f"{connection.host} resolves to {address}, which is no address of the internet")


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    began: float,
    timeout_s: float,
) -> Reply:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request(method, target, body=body or None, headers=dict(headers))
    # The response may take the socket away from the connection, and the deadline still has to be set on it.
    sock = connection.sock
    sock.settimeout(_left(began, timeout_s))
    response = connection.getresponse()
    first_byte_ms = (time.perf_counter() - began) * 1_000
    content, cut = _read(response, sock, began, timeout_s)
    elapsed_ms = (time.perf_counter() - began) * 1_000
    return Reply(response.status, _merged(response), content, elapsed_ms, first_byte_ms, cut)


def _left(began: float, timeout_s: float) -> float:
    # Zero would make the socket non-blocking instead of timing out.
    return max(0.001, began + timeout_s - time.perf_counter())


def _read(response: http.client.HTTPResponse, sock: socket.socket, began: float, timeout_s: float) -> tuple[bytes, str]:
    """All that came, and why it stopped early. A body that breaks off is an observation, not an error."""
    content = bytearray()
    try:
        # read1 returns what there is, so that the deadline is looked at between pieces of a slow stream.
        while piece := response.read1(_CHUNK):
            content += piece
            sock.settimeout(_left(began, timeout_s))
    except http.client.IncompleteRead as error:
        return bytes(content + error.partial), "dropped"
    except OSError as error:
        return bytes(content), _kind(error)
    if response.length:  # read1, unlike read, does not complain about a Content-Length that was not reached
        return bytes(content), "dropped"
    return bytes(content), ""


def _merged(response: http.client.HTTPResponse) -> dict[str, str]:
    merged: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        merged[key] = f"{merged[key]}, {value}" if key in merged else value
    return merged


def _kind(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, (ConnectionRefusedError, socket.gaierror)):
        return "connect"
    # RemoteDisconnected is both an OSError and an HTTPException.
    return "dropped" if isinstance(error, (OSError, http.client.RemoteDisconnected)) else "protocol"
