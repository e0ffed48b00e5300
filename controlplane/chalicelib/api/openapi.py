"""`/openapi.json`: the API described from the very classes that decode its bodies, so that it cannot lag behind."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.codec import schema_of
from chalicelib.domain.model import DeploymentStatus
from chalicelib.domain.times import Clock
from chalicelib.lifecycle.start import Start
from chalicelib.ports import Aws

from .answers import Answer, Call

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "field", "remedy", "holder")},
        }
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key and body give the same deployment; another body with it is refused with 409.",
}


def show(call: Call, aws: Aws, clock: Clock) -> Answer:
    """OpenAPI 3.1."""
    return Answer(200, document())


def document() -> dict[str, Any]:
    start = schema_of(Start, "#/components/schemas/{name}")
    definitions = start.pop("$defs", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": "proxyctl control API", "version": "1"},
        "components": {
            "schemas": {**definitions, "Start": start, "Error": _ERROR},
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
        "security": [{"sigv4": []}],
        "paths": _paths(),
    }


def _paths() -> dict[str, Any]:
    one, environment = _in_path("id"), _in_path("name")
    text = {"text/html": {"schema": {"type": "string"}}, "text/markdown": {"schema": {"type": "string"}}}
    return {
        "/deployments": {
            "post": _operation(
                "Start a deployment", 202, [_KEY], body="#/components/schemas/Start", refusals=(400, 409)
            ),
            "get": _operation("Deployments, newest first", 200, _filters(), refusals=(400,)),
        },
        "/deployments/{id}": {"get": _operation("One deployment with its phases", 200, [one], refusals=(404,))},
        "/deployments/{id}/report": {"get": _operation("The HTML report", 200, [one], refusals=(404,), content=text)},
        "/deployments/{id}/handoff": {"get": _operation("The handoff", 200, [one], refusals=(404,), content=text)},
        "/deployments/{id}/abort": {"post": _operation("Stop it and go back", 202, [one], refusals=(404, 409))},
        "/deployments/{id}/approve": {"post": _operation("Let users see it", 202, [one], refusals=(404, 409))},
        "/deployments/{id}/resume": {
            "post": _operation("Go on where it failed", 202, [one, _KEY], refusals=(404, 409))
        },
        "/environments": {"get": _operation("All environments", 200, [])},
        "/environments/{name}": {"get": _operation("One environment", 200, [environment], refusals=(400, 404))},
        "/environments/{name}/secret": {
            "put": _operation("Store key, models and timeouts", 200, [environment], body="", refusals=(400,)),
            "patch": _operation("Change some fields of it", 200, [environment], body="", refusals=(400, 404)),
        },
        "/nights": {"get": _operation("What came of the last nightly revalidations, newest first", 200, [])},
        "/health": {"get": _operation("Does the control plane work", 200, [])},
        "/openapi.json": {"get": _operation("This document", 200, [])},
    }


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _filters() -> list[dict[str, Any]]:
    states = [status.value for status in DeploymentStatus]
    kinds: dict[str, dict[str, Any]] = {
        "environment": {"type": "string"},
        "status": {"type": "string", "enum": states},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "cursor": {"type": "string"},
    }
    return [{"name": name, "in": "query", "schema": schema} for name, schema in kinds.items()]


def _operation(
    summary: str,
    status: int,
    parameters: list[dict[str, Any]],
    *,
    body: str | None = None,
    refusals: tuple[int, ...] = (),
    content: dict[str, Any] | None = None,
) -> dict[str, Any]:
    json_of_error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    responses: dict[str, Any] = {
        str(status): {
            "description": summary,
            "content": content or {"application/json": {"schema": {"type": "object"}}},
        }
    }
    responses |= {
        str(code): {"description": "Refused; the body says why", "content": json_of_error} for code in refusals
    }
    operation: dict[str, Any] = {"summary": summary, "parameters": parameters, "responses": responses}
    if body is not None:
        schema = {"$ref": body} if body else {"type": "object"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation
