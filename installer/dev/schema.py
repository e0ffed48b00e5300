"""The JSON Schema of environment files. `python -m installer.dev.schema` writes `ctl/environments/schema.json`.

`config`, `slo`, `load` and `bake` come from the types that the control API decodes; a test compares the file with them.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalicelib.domain import config, options
from chalicelib.domain.codec import schemas_of
from chalicelib.domain.config import Config
from chalicelib.domain.options import Bake, Load, Options, Slo

FILE = Path(__file__).resolve().parents[2] / "ctl" / "environments" / "schema.json"
_CHECK = "within"  # what the types call with the range of each number
_TEXT = {"type": "string", "minLength": 1}
_NAME = {"type": "string", "pattern": "^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$"}
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
_MODEL = {
    "type": "object",
    "description": "What an alias stands for.",
    "properties": {
        "target": {**_TEXT, "description": "The provider's name of the model."},
        "timeout_s": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
        "fallbacks": {"type": "array", "items": _TEXT, "description": "Tried in order when the target fails."},
        "upstream": {**_TEXT, "description": "A name of `upstreams`; the default provider without it."},
    },
    "required": ["target"],
    "additionalProperties": False,
}
_CLIENT_KEY = {
    "type": "object",
    "description": "A caller's key by its SHA-256 (printf %s KEY | sha256sum).",
    "properties": {
        "id": {**_TEXT, "maxLength": 128},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "models": {"type": "array", "items": _TEXT},
        "requests_per_minute": {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000},
        "expires": {**_TEXT, "description": "ISO 8601."},
    },
    "required": ["id", "sha256"],
    "additionalProperties": False,
}
_ORIGIN = {
    "api_key": _REFERENCE,
    "base_url": {**_TEXT, "description": "Another provider than OpenAI; https."},
    "organization": _TEXT,
    "project": _TEXT,
    "auth": {"enum": ["bearer", "api-key"]},
    "query": {**_TEXT, "description": "Appended to every request, for example api-version=2024-10-21."},
}
_SECONDS = {"type": "number", "exclusiveMinimum": 0, "maximum": 3600}


def schema() -> dict[str, Any]:
    """The whole schema, draft 2020-12. Definitions are those of the control API's OpenAPI document."""
    parts = schemas_of([Config, Slo, Load, Bake], "#/$defs/{name}")
    ranges: dict[str, tuple[float, float]] = {}
    with _recorded(ranges):
        wholes = (("config", Config()), ("options.slo", Slo()), ("options.load", Load()), ("options.bake", Bake()))
    whole: Config | Slo | Load | Bake
    for path, whole in wholes:
        _complete(parts, type(whole).__name__, dataclasses.asdict(whole), path, ranges)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "proxyctl environment",
        "description": "One environment: what `proxyctl apply -f` rolls. YAML or JSON.",
        "type": "object",
        "properties": _properties(),
        "patternProperties": {"^x-": {"description": "Free, for YAML anchors."}},
        "required": ["name"],
        "additionalProperties": False,
        "$defs": parts,
    }


@contextmanager
def _recorded(ranges: dict[str, tuple[float, float]]) -> Iterator[None]:
    """Collect the range of every field by its path: the types check their fields with `within` when they are made."""

    def record(name: str, value: float | None, low: float, high: float) -> None:  # noqa: ARG001 - as `within`
        ranges[name] = (low, high)

    checks = [(module, getattr(module, _CHECK)) for module in (config, options)]
    for module, _ in checks:
        setattr(module, _CHECK, record)
    try:
        yield
    finally:
        for module, check in checks:
            setattr(module, _CHECK, check)


def _complete(
    parts: dict[str, dict[str, Any]],
    name: str,
    default: Mapping[str, Any],
    path: str,
    ranges: Mapping[str, tuple[float, float]],
) -> None:
    """Close the objects to unknown fields; give every field its default and its range, in nested objects too."""
    for field, described in parts[name]["properties"].items():
        if isinstance(default.get(field), dict) and "$ref" in described:
            _complete(parts, described["$ref"].rpartition("/")[2], default[field], f"{path}.{field}", ranges)
            continue
        described["default"] = default[field]
        if f"{path}.{field}" in ranges:
            low, high = ranges[f"{path}.{field}"]
            size = described.get("type") == "array"
            described |= {"minItems": low, "maxItems": high} if size else {"minimum": low, "maximum": high}
    for part in parts.values():
        if part.get("type") == "object":
            part["additionalProperties"] = False


def _properties() -> dict[str, Any]:
    return {
        "$schema": {"type": "string"},
        "name": {**_NAME, "description": "The environment's name."},
        "order": {"type": "integer", "default": 0, "description": "Its wave: lower numbers are rolled first."},
        "config": {"$ref": "#/$defs/Config"},
        "models": {"type": "object", "additionalProperties": _MODEL, "description": "Targets by alias."},
        "client_keys": {"type": "array", "items": _CLIENT_KEY, "description": "Who may call the proxy."},
        "provider": {
            "type": "object",
            "description": "The model provider, and how the proxy talks to it.",
            "properties": {
                **_ORIGIN,
                "timeouts": {
                    "type": "object",
                    "properties": dict.fromkeys(("connect_s", "first_byte_s", "idle_s", "total_s"), _SECONDS),
                    "additionalProperties": False,
                },
                "retries": {"type": "integer", "minimum": 0, "maximum": 5},
                "cors_origins": {"type": "array", "items": _TEXT},
                "upstreams": {
                    "type": "object",
                    "description": "Further providers by name.",
                    "additionalProperties": {
                        "type": "object",
                        "properties": _ORIGIN,
                        "required": ["api_key"],
                        "additionalProperties": False,
                    },
                },
            },
            "additionalProperties": False,
        },
        "slo": {"$ref": "#/$defs/Slo"},
        "load": {"$ref": "#/$defs/Load"},
        "bake": {"$ref": "#/$defs/Bake"},
        "approval": {"enum": _choices("approval"), "default": "none"},
    }


def _choices(option: str) -> list[str]:
    """The values of an option that has few."""
    (field,) = (field for field in dataclasses.fields(Options) if field.name == option)
    described = schemas_of([Options], "#/$defs/{name}")["Options"]["properties"][field.name]
    return list(described["enum"])


def text() -> str:
    """The file's content."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
