"""Every check of phases 7 and 8, as data: what is sent, what the upstream is told to do, and what must come back.

The docs print these tables. `$name` in a request or an expectation is filled in at run time from what is known of the
candidate (`known()` in `probes/`). Statuses and codes are those of OpenAI's guide to error codes; where the stand-in
of the embedded cloud differs from OpenAI (422 for what OpenAI calls 400), both are right.
"""

from __future__ import annotations

from collections.abc import Mapping

from .check import ASK, CHAT, FAULTY, HELLO, JSON, Call, Check, error_shape
from .expectations import Expect

__all__ = ["ENDPOINTS", "ERRORS", "Call", "Check", "all_checks"]

_OURS = (Expect("headers.x-request-id", "present"),)
_OK = (Expect("status", "is", 200), Expect("request_id", "present"))

ENDPOINTS: tuple[Check, ...] = (
    Check(
        "health",
        "The release under test answers, with its secret read: not another version, not another artifact.",
        (
            Expect("status", "is", 200),
            Expect("json.status", "is", "ok"),
            Expect("json.version", "is", "$version"),
            Expect("json.secret.version_id", "present"),
        ),
        call=Call("GET", "/health"),
        needs=("candidate",),
    ),
    Check(
        "public_health",
        "Anybody may ask whether the proxy is well, and learns nothing more.",
        (Expect("status", "is", 200), Expect("json", "is", {"status": "ok"})),
        call=Call("GET", "/health", signed=False),
        needs=("live",),
    ),
    Check(
        "models",
        "The list of models holds real entries and every alias of the secret.",
        (
            *_OK,
            Expect("count", "at_least", 1),
            Expect("whole", "is", True),
            Expect("ids", "holds", "$aliases"),
        ),
        sdk="models",
    ),
    Check(
        "chat",
        "A chat completion arrives whole, with its usage.",
        (
            *_OK,
            Expect("object", "is", "chat.completion"),
            Expect("text", "present"),
            Expect("finish_reason", "one_of", ("stop", "length")),
            Expect("total_tokens", "at_least", 1),
        ),
        sdk="chat",
    ),
    Check(
        "chat_stream",
        "A streamed chat completion arrives in chunks, ends properly and reports its usage.",
        (
            *_OK,
            Expect("content_type", "holds", "text/event-stream"),
            Expect("chunks", "at_least", 2),
            Expect("text", "present"),
            Expect("finish_reason", "one_of", ("stop", "length")),
            Expect("total_tokens", "at_least", 1),
        ),
        sdk="chat_stream",
    ),
    Check(
        "tool_call",
        "A tool call survives with its name and arguments that are JSON.",
        (
            *_OK,
            Expect("finish_reason", "one_of", ("tool_calls", "stop")),
            Expect("tool", "is", "get_weather"),
            Expect("arguments.city", "present"),
        ),
        sdk="tool_call",
    ),
    Check(
        "responses",
        "The Responses API answers.",
        (
            *_OK,
            Expect("object", "is", "response"),
            Expect("state", "one_of", ("completed", "incomplete")),
            Expect("total_tokens", "at_least", 1),
        ),
        sdk="responses",
    ),
    Check(
        "embeddings",
        "Embeddings arrive as vectors of numbers, one for each input, in order.",
        (
            *_OK,
            Expect("vectors", "is", 2),
            Expect("dimensions", "at_least", 8),
            Expect("ordered", "is", True),
        ),
        sdk="embeddings",
    ),
    Check(
        "request_id",
        "A correlation ID that the caller sends comes back.",
        (Expect("status", "is", 200), Expect("headers.x-request-id", "is", "$nonce")),
        call=Call("GET", "/v1/models", {"x-request-id": "$nonce"}),
    ),
    Check(
        "cors_preflight",
        "A browser's preflight is answered, without asking the upstream.",
        (
            Expect("status", "one_of", (200, 204)),
            Expect("headers.access-control-allow-origin", "one_of", ("*", "$origin")),
            Expect("headers.access-control-allow-methods", "holds", ("POST", "GET")),
            Expect("headers.access-control-allow-headers", "holds", ("authorization", "content-type")),
        ),
        call=Call(
            "OPTIONS",
            CHAT,
            {
                "origin": "$origin",
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization, content-type",
            },
        ),
        needs=("origin",),
    ),
    Check(
        "cors_on_answers",
        "A browser may read an answer and its request ID.",
        (
            Expect("status", "is", 200),
            Expect("headers.access-control-allow-origin", "one_of", ("*", "$origin")),
            Expect("headers.access-control-expose-headers", "holds", "x-request-id"),
        ),
        call=Call("GET", "/v1/models", {"origin": "$origin"}),
        needs=("origin",),
    ),
    Check(
        "cors_on_errors",
        "A browser may read an error too.",
        (
            Expect("status", "is", 404),
            Expect("headers.access-control-allow-origin", "one_of", ("*", "$origin")),
        ),
        call=Call("GET", "/v1/no-such-path", {"origin": "$origin"}),
        needs=("origin",),
    ),
    Check(
        "candidate_is_closed",
        "Without IAM's signature nobody reaches the candidate; the refusal is shaped like OpenAI's, with CORS.",
        (
            Expect("status", "one_of", (401, 403)),
            Expect("json.error.message", "present"),
            Expect("headers.access-control-allow-origin", "present"),
        ),
        call=Call("GET", "/health", {"origin": "$origin"}, signed=False),
        needs=("candidate",),
    ),
)

_BAD = (400, 422)
_INVALID = "invalid_request_error"

ERRORS: tuple[Check, ...] = (
    Check(
        "malformed_json",
        "A body that is cut off is refused as such.",
        (*error_shape(400, _INVALID), *_OURS),
        call=Call("POST", CHAT, JSON, raw=b'{"model": "gpt-4o-mini", "messages": [{"role": "user", '),
    ),
    Check(
        "missing_messages",
        "A chat without messages is refused.",
        (*error_shape(_BAD, _INVALID), *_OURS),
        call=Call("POST", CHAT, JSON, body={"model": "$chat_model"}),
    ),
    Check(
        "missing_model",
        "A chat without a model is refused.",
        (*error_shape(_BAD, _INVALID), *_OURS),
        call=Call("POST", CHAT, JSON, body={"messages": HELLO}),
    ),
    Check(
        "wrong_type",
        "Messages that are a text instead of a list are refused.",
        (*error_shape(_BAD, _INVALID), *_OURS),
        call=Call("POST", CHAT, JSON, body={"model": "$chat_model", "messages": "hello"}),
    ),
    Check(
        "unknown_model",
        "A model that does not exist answers 404 with OpenAI's own code.",
        (*error_shape(404, _INVALID, "model_not_found"), *_OURS),
        call=Call("POST", CHAT, JSON, body=FAULTY),
        # The stand-in knows every model; OpenAI refuses this one by itself.
        faults=({"type": "fail", "status": 404, "code": "model_not_found", "message": "No such model."},),
        faults_only_if_stand_in=True,
    ),
    Check(
        "unknown_path",
        "A path that does not exist answers 404.",
        (*error_shape(404, _INVALID), *_OURS),
        call=Call("GET", "/v1/no-such-path"),
    ),
    Check(
        "unknown_root",
        "A path outside the API answers 404, not a page of API Gateway's.",
        (*error_shape(404, _INVALID), *_OURS),
        call=Call("GET", "/no/such/page"),
    ),
    Check(
        "wrong_method",
        "GET where POST belongs is refused.",
        (*error_shape((404, 405)), *_OURS),
        call=Call("GET", CHAT),
    ),
    Check(
        "wrong_key",
        "A client key that nobody was given is refused as OpenAI refuses it.",
        (*error_shape(401, _INVALID, "invalid_api_key"), *_OURS),
        call=Call("GET", "/v1/models", {"x-api-key": "sk-nobody-was-given-this-key"}),
        needs=("client_keys",),
    ),
    Check(
        "no_key",
        "On the public path, no key means no answer.",
        (*error_shape(401, _INVALID), *_OURS),
        call=Call("GET", "/v1/models", signed=False),
        needs=("client_keys", "live"),
    ),
    Check(
        "oversized_body",
        "A body beyond Lambda's 6 MB is refused with 413, by the proxy or by API Gateway, in the same shape.",
        error_shape(413),
        call=Call("POST", CHAT, JSON, body=ASK, pad_to=6_400_000),
    ),
    Check(
        "not_utf8",
        "A body that is not UTF-8 is refused, not passed on in pieces.",
        (*error_shape(_BAD, _INVALID), *_OURS),
        call=Call("POST", CHAT, JSON, raw=b'{"model": "gpt-4o-mini", "messages": "\xff\xfe"}'),
    ),
    Check(
        "utf16",
        "JSON in UTF-16 is refused.",
        (*error_shape(_BAD, _INVALID), *_OURS),
        call=Call("POST", CHAT, JSON, raw='{"model": "gpt-4o-mini"}'.encode("utf-16")),
    ),
    Check(
        "many_scripts",
        "Text of every script, joined emoji included, passes.",
        (Expect("status", "is", 200), Expect("json.choices.0.message.content", "present"), *_OURS),
        call=Call(
            "POST",
            CHAT,
            {"content-type": "application/json; charset=utf-8"},
            body={
                **ASK,
                "messages": ({"role": "user", "content": "Grüße, 世界, мир, سلام, 👩‍👩‍👧‍👦 \u2028"},),
            },
        ),
    ),
)


def all_checks() -> Mapping[str, tuple[Check, ...]]:
    """The tables by phase, as the docs print them."""
    from .fault_checks import FAULTS, THROTTLED

    return {"validate_endpoints": ENDPOINTS, "validate_errors": (*ERRORS, *FAULTS, THROTTLED)}
