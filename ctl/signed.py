"""One signed request: SigV4 by botocore, over a keep-alive connection, repeated where that does no harm."""

import http.client
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self, cast
from urllib.parse import SplitResult, urlsplit

from boto3.session import Session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import BaseClient

from ctl import __version__
from ctl.remedies import in_flags
from ctl.shapes import Error

TIMEOUT_S = 35.0  # API Gateway itself gives up after 29 s
ATTEMPTS = 4
_IDLE_S = 4.0  # below the shortest idle timeout of common servers
_UNREACHABLE = "Compare CONTROL_API_URL with `bootstrap.py status`; after `make stop` start the cloud again: make demo."
_BUSY = (429, 500, 502, 503, 504)


class ApiError(Exception):
    """The API refused the call, or did not answer (status 0). `error` is the one of the answer's body."""

    def __init__(self, status: int, error: Error) -> None:
        self.status, self.error = status, error
        super().__init__(self.describe())

    def describe(self) -> str:
        """One line for a person: code, message, remedy."""
        line = f"{self.error.get('code', self.status)}: {self.error.get('message', 'no message')}"
        remedy = self.error.get("remedy")
        return f"{line} ({in_flags(remedy)})" if remedy else line


class NotAnAddress(ValueError):
    """The URL cannot be the control API's; the message says why."""


@dataclass(frozen=True)
class Reply:
    """status, headers (names in lower case) and the decoded JSON body (text when it is not JSON)."""

    status: int
    headers: Mapping[str, str]
    body: object


def address(url: str) -> SplitResult:
    """The parts of the API's URL. Raises NotAnAddress; secrets are sent there, so only this machine needs no TLS."""
    try:
        parts = urlsplit(url.rstrip("/"))
        host, _port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise NotAnAddress(f"{url!r} is not a URL: {problem}") from None
    if not url.isascii() or not url.isprintable() or " " in url:
        raise NotAnAddress(f"{url!r} is not a URL: it may hold printable ASCII only")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise NotAnAddress(f"{url!r} is not https://host/stage")
    if parts.scheme == "http" and not _is_here(host):
        raise NotAnAddress(f"{url!r} must begin with https://: over http a secret would travel in the clear")
    return parts


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Signed:
    """Requests to the control API at `url` (…/api), signed with a session's credentials. For one thread at a time."""

    def __init__(self, url: str, session: Session, region: str) -> None:
        self._parts = address(url)
        self._session, self.region = session, region
        self._connection: http.client.HTTPConnection | None = None
        self._last_used = 0.0

    @property
    def url(self) -> str:
        return self._parts.geturl()

    def aws(self, service: str, region: str = "", profile: str | None = None) -> BaseClient:
        """A client of another AWS service. region: "" for the API's. profile: of the AWS configuration, None for the
        credentials that sign requests."""
        session = Session(profile_name=profile) if profile else self._session
        return session.client(service, region_name=region or self.region)

    def copy(self) -> Self:
        """A copy with a connection of its own, for another thread."""
        return type(self)(self.url, self._session, self.region)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        retry: bool = True,
    ) -> Reply:
        """One request. retry: whether it may be sent again when AWS is busy or the connection breaks.

        Raises ApiError with status 0 when nothing answers.
        """
        content = b"" if body is None else json.dumps(body).encode()
        attempts = ATTEMPTS if retry else 1
        for attempt in range(1, attempts + 1):
            reply = self._attempt(method, path, content, headers or {}, is_last=attempt == attempts)
            if reply is not None:
                return reply
            time.sleep(random.uniform(0.1, 0.4 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError("the last attempt returns or raises")

    def _attempt(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str], *, is_last: bool
    ) -> Reply | None:
        """The reply; None when another attempt may bring a better one."""
        try:
            reply = self._exchange(method, path, content, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not is_last:
                return None
            cause = f"{self.url}{path} does not answer: {type(error).__name__}: {error}"
            raise ApiError(0, {"code": "Unreachable", "message": cause, "remedy": _UNREACHABLE}) from error
        return reply if is_last or reply.status not in _BUSY else None

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        signed = self._signed(method, path, content, headers)
        if time.monotonic() - self._last_used > _IDLE_S:
            # The server closes an idle connection: a POST that is not repeated would be lost with it.
            self.close()
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._parts.hostname or "", self._parts.port, timeout=TIMEOUT_S)
        self._connection.request(method, self._parts.path + path, body=content or None, headers=signed)
        response = self._connection.getresponse()
        text = response.read()
        self._last_used = time.monotonic()
        if response.will_close:
            self.close()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, _decoded(text))

    def _signed(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        unsigned = {"Accept": "application/json", "X-Proxyctl-Client": __version__, **headers}
        if content:
            unsigned["Content-Type"] = "application/json"
        request = AWSRequest(method=method, url=self.url + path, data=content, headers=unsigned)
        # Read for each request: a session's credentials may expire while a rollout is followed.
        credentials = self._session.get_credentials()
        if credentials is None:
            raise ApiError(0, {"code": "NoCredentials", "message": "there are no AWS credentials to sign with"})
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", self.region).add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}


def _decoded(text: bytes) -> object:
    try:
        body: object = json.loads(text)
    except ValueError:
        return text.decode(errors="replace")
    return body


def error_of(reply: Reply) -> Error:
    """The control plane's own error, or API Gateway's, which may refuse a call before the control plane runs."""
    if isinstance(reply.body, dict):
        inner = reply.body.get("error")
        if isinstance(inner, dict):
            return cast(Error, inner)
        message = str(reply.body.get("message") or reply.body.get("Message") or "no message")
        error: Error = {"code": f"Http{reply.status}", "message": message}
        return error | _remedy(reply.status, message)
    return {"code": f"Http{reply.status}", "message": str(reply.body)[:200]}


def _remedy(status: int, message: str) -> Error:
    # API Gateway answers so to a signed call on a route that it does not have.
    if status == 403 and message == "Missing Authentication Token":
        cause = "CONTROL_API_URL is another address, or the control plane is older than this client"
        return {"remedy": f"{cause}: bootstrap.py up."}
    return {}
