"""The mutation table: for every check of phases 7 and 8, a fault that it must see.

A fault changes what the stage answers, after the real proxy has answered it; `TWICE` makes the proxy ask its upstream
twice as often as its settings say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from proxy.message import Request
from tests.functional.phases.stage import Answer, Spoil

TWICE = "twice"


def status(code: int) -> Spoil:
    """Another status, the rest untouched."""
    return lambda _, answer: replace(answer, status=code)


def without(header: str) -> Spoil:
    return lambda _, answer: replace(
        answer, headers={name: value for name, value in answer.headers.items() if name != header}
    )


def header(name: str, value: str) -> Spoil:
    return lambda _, answer: replace(answer, headers={**answer.headers, name: value})


def body(content: bytes, code: int | None = None) -> Spoil:
    return lambda _, answer: replace(answer, body=content, status=code or answer.status)


def changed(change: Callable[[Any], Any]) -> Spoil:
    """The JSON body, changed in place."""

    def spoil(_: Request, answer: Answer) -> Answer:
        reported = json.loads(answer.body)
        change(reported)
        return replace(answer, body=json.dumps(reported).encode())

    return spoil


def events(change: Callable[[list[bytes]], list[bytes]]) -> Spoil:
    """The events of a stream, changed."""

    def spoil(_: Request, answer: Answer) -> Answer:
        result = [event for event in answer.body.split(b"\n\n") if event]
        return replace(answer, body=b"".join(event + b"\n\n" for event in change(result)))

    return spoil


def _plain_error(answer: Any) -> None:
    answer.clear()
    answer["message"] = "Internal Server Error"


def _calmly_ended(_: Request, answer: Answer) -> Answer:
    """The answer of a proxy that passes a broken stream off as a whole one."""
    chunk = b'data: {"id": "1", "object": "chat.completion.chunk", "choices": []}\n\n'
    return Answer(200, {**answer.headers, "content-type": "text/event-stream"}, chunk + b"data: [DONE]\n\n")


NOT_OPENAI = changed(_plain_error)
BROKEN_EARLY = events(lambda parts: parts[:3])

ENDPOINT_FAULTS: Mapping[str, Spoil | str] = {
    "health": changed(lambda document: document.update(version="6")),
    "public_health": changed(lambda document: document.update(secret={"models": ["gpt-4o-mini"]})),
    "domain": status(503),
    "models": changed(
        lambda document: document.update(data=[model for model in document["data"] if model["id"] != "fast"])
    ),
    "chat": changed(lambda document: document["choices"][0]["message"].update(content="")),
    "chat_stream": events(lambda parts: [event for event in parts if b'"usage":{' not in event]),
    "tool_call": changed(
        lambda document: document["choices"][0]["message"]["tool_calls"][0]["function"].update(arguments="{}")
    ),
    "responses": changed(lambda document: document.update(status="failed")),
    "embeddings": changed(lambda document: document["data"].pop()),
    "request_id": header("x-request-id", "another"),
    "cors_preflight": without("access-control-allow-methods"),
    "cors_on_answers": without("access-control-expose-headers"),
    "cors_on_errors": without("access-control-allow-origin"),
    "head": status(503),
    "no_content": status(200),
    "candidate_is_closed": body(b'{"status": "ok"}', 200),
}

ERROR_FAULTS: Mapping[str, Spoil | str] = {
    "malformed_json": status(500),
    "missing_messages": NOT_OPENAI,
    "missing_model": status(200),
    "wrong_type": without("x-request-id"),
    "unknown_model": changed(lambda document: document["error"].update(code=None)),
    "unknown_path": NOT_OPENAI,
    "unknown_root": status(403),
    "wrong_method": status(200),
    "wrong_key": status(200),
    "no_key": status(200),
    "oversized_body": status(502),
    "not_utf8": status(500),
    "utf16": status(200),
    "many_scripts": status(400),
    "upstream_400": changed(lambda document: document["error"].update(message="Bad request.")),
    "upstream_401": status(500),
    "upstream_429": without("retry-after-ms"),
    "upstream_500": TWICE,
    "upstream_503": without("retry-after"),
    "upstream_recovers": status(503),
    "slow_first_byte": status(504),
    "stall_in_mid_stream": BROKEN_EARLY,
    "dropped_connection": _calmly_ended,
    "truncated_stream": _calmly_ended,
    "first_byte_timeout": status(500),
    "idle_timeout": _calmly_ended,
    "throttling": without("retry-after"),
}
