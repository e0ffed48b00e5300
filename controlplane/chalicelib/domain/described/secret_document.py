"""JSON Schemas (2020-12) of the secret's document. `proxy.secret.schema` decides; what it accepts, these accept, too.

What no schema can say is in the descriptions: that a name must stand in another field, or that a host must be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from proxy.secret import schema

JsonSchema = dict[str, object]

_SINCE_2 = "Needs schema 2."
_PRINTABLE = "^[!-~]*$"
_PLAIN = "^[A-Za-z0-9._~:-]{1,128}$"
_URL = r"^[hH][tT][tT][pP][sS]?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]*)*$"
_NAME: JsonSchema = {"type": "string", "minLength": 1, "maxLength": schema.MAX_NAME}
_SECONDS: JsonSchema = {"exclusiveMinimum": 0, "maximum": schema.MAX_SECONDS}

# Of the default provider and of each of `upstreams`.
ORIGIN: Mapping[str, JsonSchema] = {
    "api_key": {
        "type": "string",
        "minLength": 1,
        "pattern": _PRINTABLE,
        "description": "The provider's key; at api.openai.com it begins with sk-.",
    },
    "base_url": {
        "type": ["string", "null"],
        "pattern": _URL,
        "description": f"Another provider than {schema.DEFAULT_BASE_URL}; plain http only to this machine.",
    },
    "organization": {"type": ["string", "null"], "pattern": _PRINTABLE, "description": "Sent as OpenAI-Organization."},
    "project": {"type": ["string", "null"], "pattern": _PRINTABLE, "description": "Sent as OpenAI-Project."},
    "auth": {
        "enum": [*schema.AUTH_STYLES, None],
        "description": f"How the key is sent: as a bearer token, or in the header api-key (Azure). {_SINCE_2}",
    },
    "query": {
        "type": ["object", "null"],
        "propertyNames": {"pattern": _PLAIN},
        "additionalProperties": {"type": "string", "pattern": _PLAIN},
        "description": f'Appended to every request, for example {{"api-version": "2024-10-21"}}. {_SINCE_2}',
    },
}
MODEL: JsonSchema = {
    "type": "object",
    "description": "What an alias stands for.",
    "properties": {
        "target": {**_NAME, "description": "The provider's name of the model."},
        "timeout_s": {"type": ["number", "null"], **_SECONDS, "description": "Longest time of a whole answer."},
        "fallbacks": {
            "type": ["array", "null"],
            "items": _NAME,
            "description": "Tried in order when the target fails, without their own fallbacks; each another model.",
        },
        "upstream": {
            "type": ["string", "null"],
            "description": f"A name of `upstreams`; the default provider without it. {_SINCE_2}",
        },
    },
    "required": ["target"],
    "additionalProperties": False,
}
CLIENT_KEY: JsonSchema = {
    "type": "object",
    "description": "A caller's key by its SHA-256 (printf %s KEY | sha256sum), and its limits.",
    "properties": {
        "id": {
            "type": "string",
            "minLength": 1,
            "maxLength": schema.MAX_ID,
            "description": "Names the caller in logs and metrics; each once.",
        },
        "sha256": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$", "description": "Each once; not of an empty key."},
        "models": {"type": ["array", "null"], "items": _NAME, "description": f"Only these. {_SINCE_2}"},
        "requests_per_minute": {
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "maximum": schema.MAX_PER_MINUTE,
            "description": f"Counted by each environment that Lambda runs. {_SINCE_2}",
        },
        "expires": {"type": ["string", "null"], "description": f"RFC 3339, with its zone. {_SINCE_2}"},
    },
    "required": ["id", "sha256"],
    "additionalProperties": False,
}
TIMEOUTS: JsonSchema = {
    "type": "object",
    "description": "Limits of one attempt at the provider, in seconds; never longer than the Lambda has left.",
    "properties": {
        name: {"type": "number", **_SECONDS, "default": seconds} for name, seconds in asdict(schema.Timeouts()).items()
    },
    "additionalProperties": False,
}
UPSTREAM: JsonSchema = {
    "type": "object",
    "description": "Another provider, which models name.",
    "properties": dict(ORIGIN),
    "required": ["api_key", "base_url"],
    "additionalProperties": False,
}
RETRIES: JsonSchema = {
    "type": "integer",
    "minimum": 0,
    "maximum": schema.MAX_RETRIES,
    "default": schema.Config.__dataclass_fields__["retries"].default,
    "description": "Of a failed attempt, before the first byte only.",
}
CORS_ORIGINS: JsonSchema = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1},
    "description": "Origins of browsers (scheme://host[:port]), or *.",
}


def schemas(ref_template: str) -> dict[str, JsonSchema]:
    """The document, a change of it, and their parts, by name; `ref_template` holds `{name}`."""
    parts = {"Model": MODEL, "ClientKey": CLIENT_KEY, "Timeouts": TIMEOUTS, "Upstream": UPSTREAM}
    named = {f"Secret{name}": part for name, part in parts.items()}
    reference = {name: {"$ref": ref_template.format(name=f"Secret{name}")} for name in parts}
    fields: dict[str, JsonSchema] = {
        "schema": {"enum": list(schema.SCHEMAS), "description": "2, or 1 without the fields that need 2."},
        **ORIGIN,
        "upstreams": _optional("object", "Further providers by name.", additionalProperties=reference["Upstream"]),
        "models": _optional("object", "Targets by alias.", additionalProperties=reference["Model"]),
        "timeouts": {"anyOf": [reference["Timeouts"], {"type": "null"}]},
        "retries": RETRIES,
        "client_keys": _optional(
            "array",
            "Who may call the proxy: everybody without this field or with null.",
            items=reference["ClientKey"],
            minItems=1,
        ),
        "cors_origins": CORS_ORIGINS,
    }
    whole = _document("The whole document in Secrets Manager.", fields) | {"required": ["schema", "api_key"]}
    removable = {name: _or_null(part) for name, part in fields.items()}
    change = _document("The fields to change; null removes one, and the others stay.", removable)
    return {**named, "SecretDocument": whole, "SecretPatch": change | {"minProperties": 1}}


def _document(description: str, fields: Mapping[str, JsonSchema]) -> JsonSchema:
    return {"type": "object", "description": description, "properties": dict(fields), "additionalProperties": False}


def _optional(kind: str, description: str, **rules: object) -> JsonSchema:
    return {"type": [kind, "null"], "description": description, **rules}


def _or_null(part: JsonSchema) -> JsonSchema:
    """The same field where null removes it, too; without its default, since an absent field stays as it is."""
    plain = {name: value for name, value in part.items() if name != "default"}
    if "type" in plain and isinstance(plain["type"], str):
        return plain | {"type": [plain["type"], "null"]}
    if isinstance(choices := plain.get("enum"), list) and None not in choices:
        return plain | {"enum": [*choices, None]}
    return plain
