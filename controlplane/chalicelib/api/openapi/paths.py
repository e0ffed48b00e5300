"""One operation of the document: its texts, its parameters, and every status that it may answer with."""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass
from typing import Any

from .links import links_of
from .operation import Operation
from .references import GATEWAY_REFUSAL, reference

_LOCATION = {"Location": {"description": "The deployment, relative to the API.", "schema": {"type": "string"}}}
_STORED = {200: "Stored; users have it, or nobody is served yet.", 202: "Stored; a deployment checks and rolls it."}
_REFUSALS = {
    400: "The request is malformed: `field` names where.",
    404: "There is no such thing.",
    409: "The state forbids it: the environment is busy, the deployment has ended, the key was used before, …",
    415: "The body's type is not JSON.",
    426: "The client names a version in X-Proxyctl-Client that this control plane no longer works with.",
    500: "The control plane failed; its log has the cause.",
    502: "AWS denied the control plane a call: a policy lacks a statement.",
    503: "AWS throttled the control plane; try again.",
}
# What API Gateway answers before, or instead of, the control plane.
_GATEWAY = {
    403: "No valid signature, no permission execute-api:Invoke, or no such route.",
    429: "Above the API's throttle.",
    504: "No answer within 29 s.",
}
_EVERYWHERE = (426, 500, 502, 503)


def describe(operation: Operation) -> dict[str, Any]:
    """The operation object of the document."""
    text = inspect.getdoc(operation.route) or ""
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": text.partition(".")[0],
        "description": text,
        "parameters": list(operation.parameters),
        "responses": _answers(operation) | _refusals(operation),
    }
    if operation.body:
        content = {"application/json": {"schema": _body(operation)}}
        described["requestBody"] = {"required": not operation.body_is_optional, "content": content}
    return described


def _body(operation: Operation) -> dict[str, Any]:
    bodies = [reference(name) for name in (operation.body, operation.or_body) if name]
    return bodies[0] if len(bodies) == 1 else {"oneOf": bodies}


def _answers(operation: Operation) -> dict[str, Any]:
    kind = operation.answer
    schema = reference(kind.__name__) if is_dataclass(kind) else {"type": "object"}
    content = {operation.text or "application/json": {"schema": {"type": "string"} if operation.text else schema}}
    answers: dict[str, Any] = {}
    for status in operation.statuses:
        text = _STORED[status] if operation.statuses == tuple(_STORED) else _first_sentence(operation)
        answers[str(status)] = {"description": text, "content": content}
        if links := links_of(kind):
            answers[str(status)]["links"] = links
        if status == 202:
            answers[str(status)]["headers"] = _LOCATION
    return answers


def _first_sentence(operation: Operation) -> str:
    return f"{(inspect.getdoc(operation.route) or '').partition('.')[0]}."


def _refusals(operation: Operation) -> dict[str, Any]:
    own = {status: (_REFUSALS[status], "ErrorBody") for status in (*operation.refusals, *_EVERYWHERE)}
    gateways = {status: (text, GATEWAY_REFUSAL) for status, text in _GATEWAY.items()}
    return {
        str(status): {"description": text, "content": {"application/json": {"schema": reference(name)}}}
        for status, (text, name) in sorted((own | gateways).items())
    }
