"""The JSON Schema of environment files. `python -m installer.dev.schema` writes `ctl/environments/schema.json`.

`config`, `slo`, `load` and `bake` come from the types that the control API decodes; a test compares the file with them.
"""

import json
from pathlib import Path
from typing import Any

from chalicelib.domain.described import schemas, secret_document
from chalicelib.domain.described.schemas import NAME_PATTERN

FILE = Path(__file__).resolve().parents[2] / "ctl" / "environments" / "schema.json"
_TEXT = {"type": "string", "minLength": 1}
_REFERENCE = {
    "description": "Where the value is when the file is applied. The value itself never stands in the file.",
    "oneOf": [
        {
            "type": "object",
            "properties": {"env": {**_TEXT, "description": "An environment variable."}},
            "required": ["env"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"file": {**_TEXT, "description": "A file, relative to this one, that holds the value."}},
            "required": ["file"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {
                "secretsmanager": {**_TEXT, "description": "Name or ARN of a secret in AWS Secrets Manager."},
                "field": {**_TEXT, "description": "The field, when the secret is a JSON object."},
            },
            "required": ["secretsmanager"],
            "additionalProperties": False,
        },
    ],
}
# Of the options, what stands in a file: how the environment is rolled, not why this time.
_PARTS = ("Config", "Throttle", "AlarmThresholds", "Webhook", "Compatibility", "Slo", "Relative", "Load", "Bake")
# The key is a reference here; everything else of a provider is as the secret holds it.
_ORIGIN = {**secret_document.ORIGIN, "api_key": _REFERENCE}


def schema() -> dict[str, Any]:
    """The whole schema, draft 2020-12. Definitions are those of the control API's OpenAPI document."""
    described = schemas.schemas("#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "proxyctl environment",
        "description": "One environment: what `proxyctl apply -f` rolls. YAML or JSON.",
        "type": "object",
        "properties": _properties(described["Options"]["properties"]["approval"]),
        "patternProperties": {"^x-": {"description": "Free, for YAML anchors."}},
        "required": ["name"],
        "additionalProperties": False,
        "$defs": {name: described[name] for name in _PARTS},
    }


def _properties(approval: dict[str, Any]) -> dict[str, Any]:
    models = {"type": "object", "additionalProperties": secret_document.MODEL, "description": "Targets by alias."}
    keys = {"type": "array", "items": secret_document.CLIENT_KEY, "description": "Who may call the proxy."}
    return {
        "$schema": {"type": "string"},
        "name": {"type": "string", "pattern": NAME_PATTERN, "description": "The environment's name."},
        "order": {"type": "integer", "default": 0, "description": "Its wave: lower numbers are rolled first."},
        "config": {"$ref": "#/$defs/Config"},
        "models": models,
        "client_keys": keys,
        "provider": _provider(),
        "slo": {"$ref": "#/$defs/Slo"},
        "load": {"$ref": "#/$defs/Load"},
        "bake": {"$ref": "#/$defs/Bake"},
        "approval": approval,
    }


def _provider() -> dict[str, Any]:
    upstream = {**secret_document.UPSTREAM, "properties": _ORIGIN}
    properties = {
        **_ORIGIN,
        "timeouts": secret_document.TIMEOUTS,
        "retries": secret_document.RETRIES,
        "cors_origins": secret_document.CORS_ORIGINS,
        "upstreams": {
            "type": "object",
            "description": "Further providers by name.",
            "additionalProperties": upstream,
        },
    }
    return {
        "type": "object",
        "description": "The model provider, and how the proxy talks to it.",
        "properties": properties,
        "additionalProperties": False,
    }


def text() -> str:
    """The file's content."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
