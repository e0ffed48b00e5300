"""`/openapi.json`: the API as an OpenAPI 3.1 document.

The schemas come from the types: bodies from what decodes them, answers from what each route is annotated to return,
evidence from the phases' evidence types. The summary of a route is the first sentence of its docstring.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, is_dataclass
from typing import Any, get_args, get_type_hints

from chalicelib.domain.codec import schemas_of
from chalicelib.domain.model import DeploymentStatus
from chalicelib.domain.times import Clock
from chalicelib.engine import registry
from chalicelib.lifecycle.start import Start
from chalicelib.ports import Aws

from . import control, deployments, environments, health, nights, secret_versions, secrets
from .answers import Answer, ApiCall, Route
from .responses import ErrorBody

_REFERENCE = "#/components/schemas/{name}"
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key and body give the same deployment; another body with it is refused with 409.",
}
_SECRET_FLAGS = (
    {
        "name": "now",
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "Answer 200: the version is current at once, without checks.",
    },
    {
        "name": "wait",
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "Queue behind a deployment that holds the environment.",
    },
    {"name": "reason", "in": "query", "schema": {"type": "string"}},
)
_SIGV4 = {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"}


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[dict[str, Any]]:
    """This document."""
    return Answer(200, document())


@dataclass(frozen=True, slots=True)
class _Operation:
    """One route. body: the type that decodes its body, `dict` for a free JSON object, None without one.

    text: the media type of an answer that is no JSON. refusals: statuses of its errors.
    """

    path: str
    method: str
    route: Route
    status: int = 200
    body: type[object] | None = None
    parameters: tuple[dict[str, Any], ...] = ()
    text: str = ""
    refusals: tuple[int, ...] = ()

    @property
    def answer(self) -> type[object]:
        """The type of the answer's body, from the annotation of the route."""
        (kind,) = get_args(get_type_hints(self.route)["return"])
        return kind if isinstance(kind, type) else dict


def _operations() -> tuple[_Operation, ...]:
    id_, name = (_in_path("id"),), (_in_path("name"),)
    return (
        _Operation("/deployments", "post", deployments.start, 202, Start, (_KEY,), refusals=(400, 404, 409)),
        _Operation("/deployments", "get", deployments.index, parameters=_filters(), refusals=(400,)),
        _Operation("/deployments/{id}", "get", deployments.show, parameters=id_, refusals=(404,)),
        _Operation(
            "/deployments/{id}/report", "get", deployments.report, parameters=id_, text="text/html", refusals=(404,)
        ),
        _Operation(
            "/deployments/{id}/handoff",
            "get",
            deployments.handoff,
            parameters=id_,
            text="text/markdown",
            refusals=(404,),
        ),
        _Operation("/deployments/{id}/abort", "post", control.abort, 202, parameters=id_, refusals=(404, 409)),
        _Operation("/deployments/{id}/approve", "post", control.approve, 202, parameters=id_, refusals=(404, 409)),
        _Operation(
            "/deployments/{id}/resume", "post", control.resume, 202, parameters=(*id_, _KEY), refusals=(404, 409)
        ),
        _Operation("/environments", "get", environments.index),
        _Operation("/environments/{name}", "get", environments.show, parameters=name, refusals=(400, 404)),
        *_secret_operations(name),
        _Operation("/nights", "get", nights.index),
        _Operation("/health", "get", health.show),
        _Operation("/openapi.json", "get", show),
    )


def _secret_operations(name: tuple[dict[str, Any], ...]) -> tuple[_Operation, ...]:
    path, changing = "/environments/{name}/secret", (*name, *_SECRET_FLAGS)
    keyed = (*changing, _KEY)
    return (
        _Operation(path, "put", secrets.put, 202, dict, keyed, refusals=(400, 409)),
        _Operation(path, "patch", secrets.patch, 202, dict, keyed, refusals=(400, 404, 409)),
        _Operation(path, "get", secret_versions.show, parameters=name, refusals=(404,)),
        _Operation(f"{path}/history", "get", secret_versions.history, parameters=name, refusals=(404,)),
        _Operation(
            f"{path}/rollback",
            "post",
            secret_versions.rollback,
            202,
            secret_versions.SecretRollback,
            changing,
            refusals=(400, 404, 409),
        ),
    )


def document() -> dict[str, Any]:
    """The whole document."""
    operations = _operations()
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "proxyctl control API", "version": "1"},
        "components": {"schemas": _schemas(operations), "securitySchemes": {"sigv4": _SIGV4}},
        "security": [{"sigv4": []}],
        "paths": paths,
    }


def _schemas(operations: Iterable[_Operation]) -> dict[str, Any]:
    bodies = [operation.body for operation in operations if operation.body and is_dataclass(operation.body)]
    answers = [operation.answer for operation in operations if is_dataclass(operation.answer)]
    evidence = _evidence_types()
    schemas = schemas_of([*bodies, *answers, ErrorBody, *evidence], _REFERENCE)
    for name in schemas_of(bodies, _REFERENCE):
        if schemas[name].get("type") == "object":
            schemas[name]["additionalProperties"] = False
    if evidence:
        references = [_reference(kind) for kind in evidence]
        schemas["PhaseView"]["properties"]["evidence"] = {"type": "object", "anyOf": references}
    return schemas


def _evidence_types() -> list[type[object]]:
    """The evidence type of every phase and step, each once."""
    kinds = [registry.load(name).evidence for name in (*registry.PHASES, *registry.STEPS)]
    return list(dict.fromkeys(kind for kind in kinds if is_dataclass(kind)))


def _describe(operation: _Operation) -> dict[str, Any]:
    summary = inspect.getdoc(operation.route) or ""
    answer = {"schema": {"type": "string"} if operation.text else _reference(operation.answer)}
    responses = {
        str(operation.status): {
            "description": summary,
            "content": {operation.text or "application/json": answer},
        }
    }
    error = {"application/json": {"schema": _reference(ErrorBody)}}
    responses |= {
        str(status): {"description": "Refused; the body says why", "content": error} for status in operation.refusals
    }
    described: dict[str, Any] = {
        "summary": summary.partition(".")[0],
        "description": summary,
        "parameters": list(operation.parameters),
        "responses": responses,
    }
    if operation.body:
        content = {"application/json": {"schema": _reference(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _reference(kind: type[object]) -> dict[str, Any]:
    return {"$ref": _REFERENCE.format(name=kind.__name__)} if is_dataclass(kind) else {"type": "object"}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _filters() -> tuple[dict[str, Any], ...]:
    kinds: dict[str, dict[str, Any]] = {
        "environment": {"type": "string"},
        "status": {"type": "string", "enum": [status.value for status in DeploymentStatus]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "cursor": {"type": "string"},
    }
    return tuple({"name": name, "in": "query", "schema": schema} for name, schema in kinds.items())
