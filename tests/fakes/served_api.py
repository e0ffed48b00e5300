"""The control API over HTTP on 127.0.0.1: app.py with fake ports, behind what API Gateway does in front of it.

API Gateway's part is to check the signature, to match the route, and to make the event of Lambda's proxy integration:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from . import FakeAws

REGION = "eu-central-1"
STAGE = "/api"
CALLER = "arn:aws:iam::123456789012:user/ann"
_APP = Path(__file__).resolve().parents[2] / "controlplane" / "app.py"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/[^,]+, SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>\w+)"
)
_NO_ROUTE = {"message": "Missing Authentication Token"}
_WRONG_SIGNATURE = {"message": "The request signature we calculated does not match the signature you provided."}


def sign(method: str, url: str, headers: Mapping[str, str], body: bytes, credentials: Credentials) -> dict[str, str]:
    """The headers of a signed request, `headers` among them."""
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


@dataclass
class ServedApi:
    """url: of the API, without a slash at its end. credentials: those that it takes."""

    url: str
    credentials: Credentials
    aws: FakeAws


@contextmanager
def served(aws: FakeAws) -> Iterator[ServedApi]:
    """Serve until the block ends."""
    credentials = Credentials("AKIATEST", "secret")
    gateway = Gateway(aws, credentials)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gateway))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield ServedApi(f"http://127.0.0.1:{server.server_port}{STAGE}", credentials, aws)
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class Gateway:
    """API Gateway in front of app.py, in this process."""

    def __init__(self, aws: FakeAws, credentials: Credentials) -> None:
        module = _load_app()
        setattr(module, "aws", aws.as_aws)  # noqa: B010 - mypy does not know what the module holds
        self._app: Any = module.app
        self._credentials = credentials
        self._lock = threading.Lock()  # the fakes are for one thread

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body). target: path and query as sent; headers: names in lower case."""
        route = self.route(method, urlsplit(target).path)
        if route is None or "authorization" not in headers:
            return _refusal(_NO_ROUTE)
        if not self._is_signed(method, target, headers, body):
            return _refusal(_WRONG_SIGNATURE)
        return self.admitted(method, target, headers, body, route)

    def admitted(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, route: tuple[str, dict[str, str]]
    ) -> tuple[int, dict[str, str], bytes]:
        """The API's answer to a request whose signature was right."""
        event = _event(method, target, headers, body, *route, binary_types=self._app.api.binary_types)
        with self._lock:
            reply = self._app(event, SimpleNamespace(aws_request_id="test", function_name="proxyctl-dev"))
        return reply["statusCode"], reply["headers"], _content(reply)

    @property
    def routes(self) -> list[str]:
        """Every path of the API, with the names of its parameters."""
        return list(self._app.routes)

    def route(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """(resource, decoded path parameters)"""
        parts = path.removeprefix(STAGE).split("/")
        for resource, methods in self._app.routes.items():
            names = resource.split("/")
            if method in methods and len(names) == len(parts) and all(map(_fits, names, parts)):
                values = {name[1:-1]: unquote(part) for name, part in zip(names, parts, strict=True) if name != part}
                return resource, values
        return None

    def _is_signed(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the signature is the one of these credentials over this request."""
        sent = _AUTHORIZATION.fullmatch(headers["authorization"])
        if sent is None or sent["key"] != self._credentials.access_key:
            return False
        signed = {name: headers.get(name, "") for name in sent["headers"].split(";")}
        request = AWSRequest(method=method, url=f"http://{headers['host']}{target}", data=body, headers=signed)
        request.context["timestamp"] = headers.get("x-amz-date", "")
        signer = SigV4Auth(self._credentials, "execute-api", REGION)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return bool(signer.signature(text, request) == sent["signature"])


def _fits(name: str, part: str) -> bool:
    return name == part or (name.startswith("{") and bool(part))


def _event(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    resource: str,
    values: Mapping[str, str],
    *,
    binary_types: list[str],
) -> dict[str, Any]:
    parts = urlsplit(target)
    is_binary = headers.get("content-type", "").partition(";")[0] in binary_types
    text = base64.b64encode(body).decode() if is_binary else body.decode(errors="replace")
    return {
        "httpMethod": method,
        "path": unquote(parts.path.removeprefix(STAGE)),
        "resource": resource,
        "pathParameters": dict(values) or None,
        "multiValueQueryStringParameters": parse_qs(parts.query, keep_blank_values=True) or None,
        "headers": dict(headers),
        "stageVariables": None,
        "requestContext": {"resourcePath": resource, "httpMethod": method, "identity": {"userArn": CALLER}},
        "body": text or None,
        "isBase64Encoded": is_binary,
    }


def _content(reply: Mapping[str, Any]) -> bytes:
    body: str = reply["body"]
    return base64.b64decode(body) if reply.get("isBase64Encoded") else body.encode()


def _refusal(body: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    return 403, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _load_app() -> ModuleType:
    """A copy of app.py of its own, whose ports may be replaced."""
    spec = importlib.util.spec_from_file_location("served_app", _APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answered, content = gateway.answer(self.command, self.path, headers, body)
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = _any

        def log_message(self, *arguments: object) -> None:
            """The tests' output stays readable."""

    return Handler
