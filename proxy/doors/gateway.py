"""API Gateway's REST proxy events (payload 1.0) to requests, and responses to what Lambda hands back.

Two ways back: the buffered one is a JSON object with the body in it; the streaming one is a JSON prelude,
eight NUL bytes and then the body's own bytes (API Gateway, "Set up a Lambda proxy integration with payload
response streaming").
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from proxy import errors
from proxy.message import Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.message import Response

CANDIDATE = "/_candidate"
LIVE = CANDIDATE + "/_live"  # the users' version, for IAM callers: what a candidate is compared with
# Lambda takes 6 MiB of event and gives 6 MiB of buffered answer; base64 takes four bytes for three.
BODY_LIMIT = 4_500_000
ANSWER_LIMIT = 6_291_456 - 16_384
PRELUDE_END = b"\0" * 8
_OMITTED = ("content-length",)  # API Gateway counts for itself what it sends


class EventError(ValueError):
    """The event is not one of API Gateway's REST proxy events."""


def request_of(event: Any, *, hold: bool, deadline: float, invocation_id: str) -> Request:
    """The request that an event carries. Raises EventError when it is no HTTP event."""
    if not isinstance(event, dict) or not isinstance(event.get("httpMethod"), str):
        raise EventError("the event has no httpMethod: only API Gateway REST proxy events (payload 1.0) are served")
    context = event.get("requestContext") or {}
    path = event.get("path") or "/"
    resource = str(context.get("resourcePath", ""))
    is_candidate, is_live = resource.startswith(CANDIDATE), resource.startswith(LIVE + "/")
    if is_candidate:
        path = path.removeprefix(LIVE if is_live else CANDIDATE) or "/"
    identity = context.get("identity") or {}
    body = event.get("body") or ""
    return Request(
        method=event["httpMethod"].upper(),
        path=quote(path, safe="/%:@!$&'()*+,;=~-._", errors="replace"),
        query=_query(event),
        headers=_headers(event),
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(errors="replace"),
        body_limit=BODY_LIMIT,
        hold=hold,
        candidate=is_candidate and bool(identity.get("userArn") or identity.get("caller")),
        live=is_live,
        deadline=deadline,
        gateway_id=str(context.get("requestId", "")),
        invocation_id=invocation_id,
    )


def _headers(event: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    many = event.get("multiValueHeaders")
    if many:
        return tuple((name.lower(), value) for name, values in many.items() for value in values or ())
    return tuple((name.lower(), value) for name, value in (event.get("headers") or {}).items())


def _query(event: dict[str, Any]) -> str:
    # API Gateway hands query strings over decoded.
    many = event.get("multiValueQueryStringParameters")
    if not many:
        many = {name: [value] for name, value in (event.get("queryStringParameters") or {}).items()}
    return urlencode(
        [(name, value) for name, values in many.items() for value in values or ()], quote_via=quote, errors="replace"
    )


def buffered_answer(response: Response) -> bytes:
    """The JSON that Lambda hands to API Gateway. Raises ProxyError 502 when the body is too large for it."""
    content = b"".join(response.body)
    try:
        text, encoded = content.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(content).decode(), True
    headers, many = _split(response.headers)
    answer = {
        "statusCode": response.status,
        "headers": headers,
        "multiValueHeaders": many,
        "body": text,
        "isBase64Encoded": encoded,
    }
    payload = json.dumps(answer, ensure_ascii=False).encode()
    if len(payload) > ANSWER_LIMIT:
        raise errors.response_too_large(ANSWER_LIMIT)
    return payload


def prelude(response: Response) -> bytes:
    """The head of a streamed answer: JSON and eight NUL bytes."""
    headers, many = _split(response.headers)
    cookies = many.pop("set-cookie", [])
    head = {"statusCode": response.status, "headers": headers, "multiValueHeaders": many, "cookies": cookies}
    return json.dumps(head).encode() + PRELUDE_END


def _split(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Headers that occur once, and those that repeat (cookies always count as such)."""
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in _OMITTED:
            many.setdefault(name, []).append(value)
    once = {name: values[0] for name, values in many.items() if len(values) == 1 and name != "set-cookie"}
    return once, {name: values for name, values in many.items() if name not in once}
