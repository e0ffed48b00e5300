"""The schemas of the document, from the types that decode and make its bodies."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from inspect import cleandoc
from typing import Any

from chalicelib.domain.codec import schemas_of
from chalicelib.domain.described import schemas as described
from chalicelib.domain.described import secret_document
from chalicelib.engine import registry
from chalicelib.upgrade.releases import KEY as RELEASE_KEY

from ..responses import ErrorBody
from .operation import Operation
from .references import GATEWAY_REFUSAL, TEMPLATE, reference

Schemas = dict[str, dict[str, Any]]

_INTERNAL_OPTIONS = ("drill_of", "sabotage", "bundle")  # refused in a request
_TIMES = ("created_at", "started_at", "ended_at", "updated_at", "expires_at", "stored_at")
# API Gateway's own shape; with a capital where IAM's policies refuse.
_GATEWAY_REFUSAL = {
    "type": "object",
    "title": GATEWAY_REFUSAL,
    "description": "API Gateway's own answer, before the control plane is called.",
    "properties": {"message": {"type": ["string", "null"]}, "Message": {"type": "string"}},
}
_BEFORE_AND_AFTER = {"type": "array", "items": {}, "minItems": 2, "maxItems": 2, "description": "[before, after]"}


def schemas(operations: Iterable[Operation], bodies: Iterable[type[object]]) -> Schemas:
    """Every schema by name. bodies: the types that decode requests, `Start` among them."""
    bodies = tuple(bodies)
    answers = {operation.answer for operation in operations if is_dataclass(operation.answer)}
    ordered = sorted(answers, key=lambda kind: kind.__name__)
    parts = schemas_of([*bodies, *ordered, ErrorBody, *evidence_types()], TEMPLATE)
    parts |= _opened(described.schemas(TEMPLATE)) | described.patch_schemas(TEMPLATE)
    parts |= secret_document.schemas(TEMPLATE)
    parts[GATEWAY_REFUSAL] = copy.deepcopy(_GATEWAY_REFUSAL)
    _describe_bodies(parts, bodies)
    _describe_answers(parts)
    return {name: _tidied(part) for name, part in sorted(parts.items())}


def _opened(parts: Schemas) -> Schemas:
    """As answers hold them: what another version of the control plane recorded may have further fields."""
    return {
        name: {key: rule for key, rule in part.items() if key != "additionalProperties"} for name, part in parts.items()
    }


def _describe_bodies(parts: Schemas, bodies: Iterable[type[object]]) -> None:
    closed = described.schemas(TEMPLATE)["Options"]
    fields = {name: rule for name, rule in closed["properties"].items() if name not in _INTERNAL_OPTIONS}
    parts["OptionsOfRequest"] = {**closed, "title": "OptionsOfRequest", "properties": _closed_parts(parts, fields)}
    start = parts["Start"]["properties"]
    start["environment"]["pattern"] = described.NAME_PATTERN
    start["from"]["anyOf"][0]["pattern"] = described.NAME_PATTERN
    start["config"] = reference("ConfigPatch")
    start["options"] = reference("OptionsOfRequest")
    parts["UpgradeStart"]["properties"]["bundle"]["pattern"] = f"^{RELEASE_KEY.pattern}$"
    fleet = parts["FleetStart"]["properties"]
    fleet["from"]["anyOf"][0]["pattern"] = described.NAME_PATTERN
    fleet["waves"]["items"]["items"]["pattern"] = described.NAME_PATTERN
    fleet["config"] = reference("ConfigPatch")
    fleet["options"] = reference("OptionsOfRequest")
    for kind in bodies:
        parts[kind.__name__]["additionalProperties"] = False


def _closed_parts(parts: Schemas, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a request, with parts that refuse unknown fields (`LoadOfRequest`), which are added to `parts`."""
    closed = described.schemas(TEMPLATE.format(name="{name}OfRequest"))
    for name in ("Load", "Slo", "Relative", "Bake"):
        parts[f"{name}OfRequest"] = closed[name] | {"title": f"{name}OfRequest"}
    properties = closed["Options"]["properties"]
    return {name: properties[name] for name in fields}


def _describe_answers(parts: Schemas) -> None:
    parts["Release"]["properties"]["config"] = reference("Config")
    parts["HistoryEntry"]["properties"]["diff"]["additionalProperties"] = _BEFORE_AND_AFTER
    whole = parts.pop("PhaseView")
    for field, names in (("phases", registry.PHASES), ("steps", (*registry.STEPS, *registry.UPGRADE))):
        parts["DeploymentDetail"]["properties"][field]["items"] = _any_of(names, whole, parts)
    for part in parts.values():
        for name in _TIMES:
            _mark_time(part.get("properties", {}).get(name))


def _any_of(names: Iterable[str], whole: Mapping[str, Any], parts: Schemas) -> dict[str, Any]:
    """Add one schema a phase, which says what its evidence is; answers the choice between them by the phase's name."""
    mapping: dict[str, str] = {}
    for name in names:
        title = f"{registry.pascal(name)}Phase"
        evidence = registry.load(name).evidence
        kinds = {"name": {"const": name}}
        if is_dataclass(evidence):
            kinds["evidence"] = reference(evidence.__name__)
        parts[title] = {**whole, "title": title, "properties": {**whole["properties"], **kinds}}
        mapping[name] = TEMPLATE.format(name=title)
    choices = [{"$ref": place} for place in mapping.values()]
    return {"oneOf": choices, "discriminator": {"propertyName": "name", "mapping": mapping}}


def evidence_types() -> list[type[object]]:
    """The evidence type of every phase and step, each once."""
    kinds = [registry.load(name).evidence for name in (*registry.PHASES, *registry.STEPS, *registry.UPGRADE)]
    return list(dict.fromkeys(kind for kind in kinds if is_dataclass(kind)))


def _mark_time(described_: dict[str, Any] | None) -> None:
    """Add the format of a time to a field that is a text, or a text or null."""
    for choice in (described_ or {}).get("anyOf", [described_]):
        if choice and choice.get("type") == "string" and choice.get("default") != "":
            choice["format"] = "date-time"


def _tidied(value: Any) -> Any:
    """Docstrings without their indentation; of a tuple its fixed length, which generators read, and no `items: false`,
    which they refuse."""
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    tidied = {name: _tidied(item) for name, item in value.items() if (name, item) != ("items", False)}
    if isinstance(tidied.get("description"), str):
        tidied["description"] = cleandoc(tidied["description"])
    return tidied
