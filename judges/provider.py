"""The checks of phases 7 and 8 against OpenAI's published description (`openai.json`), not against the stand-in.

A check whose expectation the real provider does not meet rolls every real release back. Held are: the routes that a
check uses or expects to be absent, the bodies that it expects to be taken or refused, and the words of answers.
`python -m installer.dev.openai_routes` renews the data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from chalicelib.checks.check import Check, HttpRequest
from chalicelib.checks.expectations import Expect
from chalicelib.checks.reference import all_checks

FILE = Path(__file__).resolve().parent / "openai.json"
# Route and answer of each operation of `adapters/openai_sdk`.
SDK_ROUTES: Mapping[str, tuple[str, str]] = {
    "models": ("GET", "/v1/models"),
    "chat": ("POST", "/v1/chat/completions"),
    "chat_stream": ("POST", "/v1/chat/completions"),
    "tool_call": ("POST", "/v1/chat/completions"),
    "responses": ("POST", "/v1/responses"),
    "embeddings": ("POST", "/v1/embeddings"),
}
_LARGEST = 6_000_000  # bytes; Lambda's limit, so that API Gateway or the proxy answers a larger body
_ABSENT, _REFUSED = {404, 405}, {400, 422}
_TYPES: Mapping[type, str] = {str: "string", list: "array", tuple: "array", dict: "object", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Description:
    """methods: by path template. bodies: required fields and the types of all, by path. words: by path and fact.
    error: fields of an error."""

    methods: Mapping[str, Sequence[str]]
    bodies: Mapping[str, Mapping[str, Any]]
    words: Mapping[str, Mapping[str, Sequence[str]]]
    error: Sequence[str]

    def has(self, method: str, path: str) -> bool:
        """Whether the provider has this route."""
        return any(method in methods for template, methods in self.methods.items() if _matches(template, path))

    def refusal(self, path: str, body: Mapping[str, object]) -> str:
        """Why the provider refuses a body; "" when the description allows it."""
        described = self.bodies[path]
        missing = [name for name in described["required"] if name not in body]
        if missing:
            return f"{missing[0]} is required"
        unknown = sorted(set(body) - set(described["fields"]))
        if unknown:
            return f"{unknown[0]} is no field"
        wrong = [name for name, value in body.items() if not _fits(value, described["fields"][name])]
        return f"{wrong[0]} has another type" if wrong else ""


def read(path: Path = FILE) -> Description:
    """OpenAI's description, as far as it is kept."""
    held = json.loads(path.read_text())
    return Description(**{name: held[name] for name in ("methods", "bodies", "words", "error")})


def findings(checks: Sequence[Check] | None = None) -> list[str]:
    """What the checks expect and the provider does not do; all checks unless others are given."""
    description = read()
    tables = [check for table in all_checks().values() for check in table] if checks is None else checks
    return [f"{check.name}: {text}" for check in tables for text in _of(check, description)]


def _of(check: Check, description: Description) -> Iterator[str]:
    yield from _error_fields(check, description)
    if check.faults and "stand_in" not in check.needs:
        yield "plants a fault, and does not need the stand-in"
    if check.sdk:
        method, path = SDK_ROUTES[check.sdk]
        yield from _taken(method, path, description)
        yield from _words(check, path, description)
    elif check.http is not None and _reaches_the_provider(check, check.http):
        yield from _answered(check, check.http, description)


def _reaches_the_provider(check: Check, request: HttpRequest) -> bool:
    """Whether the answer is the provider's, and not the proxy's own (keys, CORS, size) or the gateway's."""
    is_proxys = "client_keys" in check.needs or request.method == "OPTIONS" or request.pad_to > _LARGEST
    return request.path.startswith("/v1/") and not is_proxys


def _answered(check: Check, request: HttpRequest, description: Description) -> Iterator[str]:
    statuses = _statuses(check)
    if not check.faults and statuses & _REFUSED:
        yield from _refused(request, description)
    elif not check.faults and statuses and statuses <= _ABSENT:
        if description.has(request.method, request.path):
            yield f"expects {sorted(statuses)}, and the provider has {request.method} {request.path}"
    else:
        yield from _taken(request.method, request.path, description, _json(request))
        yield from _words(check, request.path, description)


def _refused(request: HttpRequest, description: Description) -> Iterator[str]:
    """A check that expects 400: the body must be one that the description refuses."""
    if not description.has(request.method, request.path):
        yield f"the provider has no {request.method} {request.path}, and answers 404"
        return
    body = _json(request)
    if body is not None and not description.refusal(request.path, body):
        yield "expects a refusal, and the provider takes this body"


def _taken(method: str, path: str, description: Description, body: Mapping[str, object] | None = None) -> Iterator[str]:
    if not description.has(method, path):
        yield f"the provider has no {method} {path}"
    elif body is not None and (reason := description.refusal(path, body)):
        yield f"the provider refuses this body: {reason}"


def _words(check: Check, path: str, description: Description) -> Iterator[str]:
    """Every word that an answer is expected to hold must be one of the provider's."""
    for fact, words in description.words.get(path, {}).items():
        for expect in check.expects:
            wrong = [word for word in _wanted(expect) if word not in words]
            if expect.fact.rpartition(".")[2] == fact and wrong:
                yield f"{expect.fact}: the provider never says {wrong[0]!r}"


def _error_fields(check: Check, description: Description) -> Iterator[str]:
    for expect in check.expects:
        name = expect.fact.removeprefix("json.error.")
        if name != expect.fact and name not in description.error:
            yield f"{expect.fact}: the provider's errors have no such field"


def _statuses(check: Check) -> set[int]:
    return {cast(int, status) for expect in check.expects if expect.fact == "status" for status in _wanted(expect)}


def _wanted(expect: Expect) -> Sequence[object]:
    return expect.value if isinstance(expect.value, (list, tuple)) else (expect.value,)


def _json(request: HttpRequest) -> Mapping[str, object] | None:
    """The JSON object that is sent; None for a body that is none, or no body."""
    if request.body is not None:
        return request.body
    try:
        # RFC 8259: JSON between systems is UTF-8, and nothing else.
        decoded = json.loads(request.raw.decode())
    except ValueError:
        return None
    return decoded if isinstance(decoded, dict) else None


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^/]+\}", "[^/]+", template), path) is not None


def _fits(value: object, types: Sequence[str]) -> bool:
    kind = next((name for kind, name in _TYPES.items() if type(value) is kind), "")
    return not types or not kind or kind in types
