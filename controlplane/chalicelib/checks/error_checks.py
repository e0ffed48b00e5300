"""The checks of validate_errors that need no fault in the upstream: wrong requests, and the errors that they must get.

Statuses and codes follow OpenAI's guide to error codes; routes and bodies follow its published description, to which
`judges/provider.py` holds them. Where llmock differs from OpenAI (422 for OpenAI's 400), both are accepted.
"""

from __future__ import annotations

from .check import ASK, CHAT, ENDS, FAULTY, HELLO, JSON, Check, HttpRequest, error_shape
from .expectations import Expect

_REQUEST_ID = (Expect("headers.x-request-id", "present"),)
_BAD = (400, 422)
_INVALID = "invalid_request_error"

ERRORS: tuple[Check, ...] = (
    Check(
        "malformed_json",
        "Truncated JSON is refused with 400.",
        (*error_shape(400, _INVALID), *_REQUEST_ID),
        http=HttpRequest("POST", CHAT, JSON, raw=b'{"model": "gpt-4o-mini", "messages": [{"role": "user", '),
    ),
    Check(
        "missing_messages",
        "A chat request without messages is refused.",
        (*error_shape(_BAD, _INVALID), *_REQUEST_ID),
        http=HttpRequest("POST", CHAT, JSON, body={"model": "$chat_model"}),
    ),
    Check(
        "missing_model",
        "A chat request without a model is refused.",
        (*error_shape(_BAD, _INVALID), *_REQUEST_ID),
        http=HttpRequest("POST", CHAT, JSON, body={"messages": HELLO}),
    ),
    Check(
        "wrong_type",
        "A chat request whose messages are a string is refused.",
        (*error_shape(_BAD, _INVALID), *_REQUEST_ID),
        http=HttpRequest("POST", CHAT, JSON, body={"model": "$chat_model", "messages": "hello"}),
    ),
    Check(
        "unknown_model",
        "A model that does not exist answers 404 with OpenAI's code.",
        (*error_shape(404, _INVALID, "model_not_found"), *_REQUEST_ID),
        http=HttpRequest("POST", CHAT, JSON, body=FAULTY),
        # llmock accepts every model, so it is scripted to refuse this one as OpenAI does.
        faults=({"type": "fail", "status": 404, "code": "model_not_found", "message": "No such model."},),
        # Other upstreams than OpenAI's own answer an unknown model in ways of their own.
        needs=("stand_in",),
    ),
    Check(
        "unknown_path",
        "A path under /v1 that does not exist answers 404.",
        (*error_shape(404, _INVALID), *_REQUEST_ID),
        http=HttpRequest("GET", "/v1/no-such-path"),
    ),
    Check(
        "unknown_root",
        "A path outside /v1 answers 404 in OpenAI's error shape, not in API Gateway's.",
        (*error_shape(404, _INVALID), *_REQUEST_ID),
        http=HttpRequest("GET", "/no/such/page"),
    ),
    Check(
        "wrong_method",
        "GET on a POST endpoint is refused.",
        (*error_shape((404, 405)), *_REQUEST_ID),
        # Not chat completions: GET lists the stored ones there.
        http=HttpRequest("GET", "/v1/embeddings"),
    ),
    Check(
        "wrong_key",
        "An unknown client key is refused with OpenAI's code.",
        (*error_shape(401, _INVALID, "invalid_api_key"), *_REQUEST_ID),
        http=HttpRequest("GET", "/v1/models", {"x-api-key": "sk-nobody-has-this-key"}),
        needs=("client_keys",),
    ),
    Check(
        "no_key",
        "A request without a key on the public path is refused.",
        (*error_shape(401, _INVALID), *_REQUEST_ID),
        http=HttpRequest("GET", "/v1/models", signed=False),
        needs=("client_keys", "live"),
    ),
    Check(
        "oversized_body",
        "A body above Lambda's 6 MB is refused with 413 in OpenAI's error shape, by the proxy or by API Gateway.",
        error_shape(413),
        http=HttpRequest("POST", CHAT, JSON, body=ASK, pad_to=6_400_000),
    ),
    Check(
        "not_utf8",
        "A body that is not UTF-8 is refused.",
        (*error_shape(_BAD, _INVALID), *_REQUEST_ID),
        http=HttpRequest("POST", CHAT, JSON, raw=b'{"model": "gpt-4o-mini", "messages": "\xff\xfe"}'),
    ),
    Check(
        "utf16",
        "JSON in UTF-16 is refused.",
        (*error_shape(_BAD, _INVALID), *_REQUEST_ID),
        http=HttpRequest("POST", CHAT, JSON, raw='{"model": "gpt-4o-mini"}'.encode("utf-16")),
    ),
    Check(
        "many_scripts",
        "Text in many scripts, with joined emoji, passes.",
        # No text: a model that thinks may have used all its tokens before it says something.
        (Expect("status", "is", 200), Expect("json.choices.0.finish_reason", "one_of", ENDS), *_REQUEST_ID),
        http=HttpRequest(
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
