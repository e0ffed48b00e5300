"""The checks of validate_endpoints: each endpoint, called as clients call it.

`$name` in a request or an expectation is replaced at run time by a variable of the target (`target.py`).
"""

from __future__ import annotations

from .check import CHAT, ENDS, Check, HttpRequest
from .expectations import Expect

# Answers without a body were reported to hang until a time limit ended them.
WITHOUT_BODY_MS = 10_000
_OK = (Expect("status", "is", 200), Expect("request_id", "present"))

ENDPOINTS: tuple[Check, ...] = (
    Check(
        "health",
        "`/health` answers as the version under test, and that version has read its secret.",
        (
            Expect("status", "is", 200),
            Expect("json.status", "is", "ok"),
            Expect("json.version", "is", "$version"),
            Expect("json.secret.version_id", "present"),
        ),
        http=HttpRequest("GET", "/health"),
        needs=("candidate",),
    ),
    Check(
        "public_health",
        "Anyone may call `/health`, and gets the status and nothing else.",
        (Expect("status", "is", 200), Expect("json", "is", {"status": "ok"})),
        http=HttpRequest("GET", "/health", signed=False),
        needs=("live",),
    ),
    Check(
        "domain",
        "The users' domain leads to the live version, with a certificate that clients accept.",
        (Expect("status", "is", 200), Expect("json", "is", {"status": "ok"})),
        http=HttpRequest("GET", "/health", signed=False),
        needs=("domain",),
    ),
    Check(
        "models",
        "The list of models has complete entries and every alias of the secret.",
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
        "A chat completion arrives complete, with its token usage.",
        (
            *_OK,
            Expect("object", "is", "chat.completion"),
            Expect("text", "present"),
            Expect("finish_reason", "one_of", ENDS),
            Expect("total_tokens", "at_least", 1),
        ),
        sdk="chat",
    ),
    Check(
        "chat_stream",
        "A streamed chat completion arrives in chunks, ends properly and reports its token usage.",
        (
            *_OK,
            Expect("content_type", "holds", "text/event-stream"),
            Expect("chunks", "at_least", 2),
            Expect("text", "present"),
            Expect("finish_reason", "one_of", ENDS),
            Expect("total_tokens", "at_least", 1),
        ),
        sdk="chat_stream",
    ),
    Check(
        "tool_call",
        "A tool call arrives with its name, and its arguments are JSON.",
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
        "The Responses API answers with its token usage.",
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
        "Embeddings arrive as vectors, one for each input, in order.",
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
        "The response has the correlation ID that the caller sent.",
        (Expect("status", "is", 200), Expect("headers.x-request-id", "is", "$nonce")),
        http=HttpRequest("GET", "/v1/models", {"x-request-id": "$nonce"}),
    ),
    Check(
        "cors_preflight",
        "A browser's CORS preflight is answered.",
        (
            Expect("status", "one_of", (200, 204)),
            Expect("headers.access-control-allow-origin", "one_of", ("*", "$origin")),
            Expect("headers.access-control-allow-methods", "holds", ("POST", "GET")),
            Expect("headers.access-control-allow-headers", "holds", ("authorization", "content-type")),
        ),
        http=HttpRequest(
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
        "A browser may read a response and its request ID.",
        (
            Expect("status", "is", 200),
            Expect("headers.access-control-allow-origin", "one_of", ("*", "$origin")),
            Expect("headers.access-control-expose-headers", "holds", "x-request-id"),
        ),
        http=HttpRequest("GET", "/v1/models", {"origin": "$origin"}),
        needs=("origin",),
    ),
    Check(
        "cors_on_errors",
        "A browser may read an error response.",
        (
            Expect("status", "is", 404),
            Expect("headers.access-control-allow-origin", "one_of", ("*", "$origin")),
        ),
        http=HttpRequest("GET", "/v1/no-such-path", {"origin": "$origin"}),
        needs=("origin",),
    ),
    Check(
        "head",
        "HEAD, whose answer has no body, arrives in time in stream mode (otherwise: `config.response_mode` buffered).",
        (Expect("status", "is", 200), Expect("ms", "at_most", WITHOUT_BODY_MS)),
        http=HttpRequest("HEAD", "/health"),
        needs=("candidate", "streams"),
    ),
    Check(
        "no_content",
        "A 204, which has no body, arrives in time in stream mode (otherwise: `config.response_mode` buffered).",
        (Expect("status", "is", 204), Expect("ms", "at_most", WITHOUT_BODY_MS)),
        http=HttpRequest("OPTIONS", "/v1/models"),
        needs=("candidate", "streams"),
    ),
    Check(
        "candidate_is_closed",
        "An unsigned request to the candidate is refused, in OpenAI's error shape and with CORS headers.",
        (
            Expect("status", "one_of", (401, 403)),
            Expect("json.error.message", "present"),
            Expect("headers.access-control-allow-origin", "present"),
        ),
        http=HttpRequest("GET", "/health", {"origin": "$origin"}, signed=False),
        needs=("candidate",),
    ),
)
