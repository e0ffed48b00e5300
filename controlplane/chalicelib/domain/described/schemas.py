"""JSON Schemas (2020-12) of configuration and options, complete: default, range and effect of every field."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import msgspec

from chalicelib.domain import options
from chalicelib.domain.codec import nested, schemas_of
from chalicelib.domain.config import ENVIRONMENT_NAME, MOST_RECIPIENTS, RETENTION_DAYS, SECRET_ARN, SUBSCRIBER, Config
from chalicelib.domain.errors import Ranges
from chalicelib.domain.options import Options

from .effects import EFFECTS

# What the types check beside ranges of numbers.
_RULES: Mapping[str, Mapping[str, object]] = {
    "config.log_retention_days": {"enum": list(RETENTION_DAYS)},
    "config.notify": {
        "items": {"type": "string", "pattern": f"^({SUBSCRIBER.pattern})$"},
        "maxItems": MOST_RECIPIENTS,
    },
    "config.secret_arn": {"pattern": f"^{SECRET_ARN.pattern}$"},
    "options.reason": {"maxLength": options.LONGEST_REASON},
    "options.secret_version": {"pattern": f"^{options.SECRET_VERSION.pattern}$"},
    "options.secret_base": {"pattern": f"^{options.SECRET_VERSION.pattern}$"},
    "options.tune_memory": {
        "items": {"type": "integer", "minimum": options.MEMORY_MB[0], "maximum": options.MEMORY_MB[1]},
        "maxItems": options.MOST_SIZES,
        "uniqueItems": True,
    },
    "options.load.trace": {"items": {"type": "number", "minimum": 0}, "maxItems": options.MOST_TRACED},
    "options.bake.steps": {
        "items": {"type": "integer", "minimum": 1, "maximum": 100},
        "minItems": 1,
        "uniqueItems": True,
    },
}
NAME_PATTERN = f"^{ENVIRONMENT_NAME.pattern}$"


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of configuration or options.

    path: `config.throttle.burst`. owner: the type that has it; part: the type of its own fields, None for a value.
    default: as JSON; range: (lowest, highest) of a number.
    """

    path: str
    owner: type[object]
    part: type[object] | None
    default: object
    range: tuple[float, float] | None
    effect: str

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


def fields() -> Iterator[Field]:
    """Every field of Config and Options in their order, nested ones after the field that holds them."""
    yield from _fields(Config, "config")
    yield from _fields(Options, "options")


def _fields(kind: type[Any], path: str) -> Iterator[Field]:
    ranges: Ranges = getattr(kind, "RANGES", {})
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        place = f"{path}.{field.name}"
        part = nested(hints[field.name])
        yield Field(place, kind, part, _default(field), ranges.get(field.name), EFFECTS[place])
        if part is not None:
            yield from _fields(part, place)


def _default(field: dataclasses.Field[object]) -> object:
    """The default as JSON; MISSING for a field without one."""
    factory = field.default_factory
    value = field.default if factory is dataclasses.MISSING else factory()
    plain = value if value is dataclasses.MISSING else msgspec.to_builtins(value)
    return list(plain) if isinstance(plain, tuple) else plain


def schemas(ref_template: str) -> dict[str, dict[str, Any]]:
    """Config, Options and all their parts by name, closed to unknown fields; `ref_template` holds `{name}`."""
    parts = schemas_of([Config, Options], ref_template)
    for field in fields():
        described = parts[field.owner.__name__]["properties"][field.name]
        described["description"] = field.effect
        if field.default is not dataclasses.MISSING and (field.part is None or field.default is None):
            described["default"] = field.default
        if field.range:
            described["minimum"], described["maximum"] = field.range
        described |= _RULES.get(field.path, {})
    for part in parts.values():
        if part.get("type") == "object":
            part["additionalProperties"] = False
    return parts


def patch_schemas(ref_template: str) -> dict[str, dict[str, Any]]:
    """`Config` as a request sends it (`ConfigPatch`), and its parts: null resets a field, and defaults mean nothing."""
    template = ref_template.format(name="{name}Patch")
    parts = schemas(template)
    names = {field.owner.__name__ for field in fields() if field.path.startswith("config.")}
    return {f"{name}Patch": _patched(f"{name}Patch", parts[name]) for name in parts if name in names}


def _patched(title: str, part: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: _or_null(described) for name, described in part["properties"].items()}
    return {**part, "title": title, "properties": properties}


def _or_null(described: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in described.items() if name != "default"}
    if "$ref" in plain:
        return {"anyOf": [{"$ref": plain.pop("$ref")}, {"type": "null"}], **plain}
    if "anyOf" in plain:
        return plain
    if "enum" in plain:
        plain["enum"] = [*plain["enum"], *(() if None in plain["enum"] else (None,))]
    if isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain
