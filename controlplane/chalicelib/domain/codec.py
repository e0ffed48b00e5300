"""JSON becomes dataclasses here, and dataclasses JSON.

`decode` is for input: it raises a BadRequest that names the field. `decode_lenient` and `decode_record` are for what
another version of the control plane has stored: they never refuse a record for a field or value that is unknown here.

msgspec and not pydantic: every Lambda decodes its event, and msgspec costs a cold start a tenth of pydantic.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import enum
import functools
import re
import types
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from .errors import BadRequest

T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)

_EXTRA = "extra"  # the field of a record's dataclass that holds the fields of other versions
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")


def decode(kind: type[T], value: object, *, under: str = "") -> T:
    """`value` (JSON) as `kind`. Raises BadRequest naming the first wrong field, with `under` in front of its path."""
    return _decode(kind, _by_field(kind, value, under), under)


def _by_field(kind: type[object], value: object, under: str) -> object:
    """The value with the names of `kind`'s fields for JSON keys that are no Python names."""
    keys = _keys(kind)
    if not keys or not isinstance(value, Mapping):
        return value
    if hidden := next((name for name in value if name in keys), None):
        names = [keys.get(name, name) for name in _hints(cast(Any, kind))]
        raise _unknown_field(".".join(filter(None, [under, str(hidden)])), str(hidden), names)
    fields = {key: name for name, key in keys.items()}
    return {fields.get(name, name): item for name, item in value.items()}


def _decode(kind: type[T], value: object, under: str) -> T:
    """As `decode`, of a value by the names of fields."""
    refuse_unknown(kind, value, under=under)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _bad_request(kind, str(error), under) from error


def refuse_unknown(kind: type[object], value: object, *, under: str = "") -> None:
    """Raises BadRequest naming the first field, at any depth, that `kind` lacks, with `under` in front of its path."""
    for path, fields in _unknown_fields(kind, value):
        raise _unknown_field(".".join(([under] if under else []) + path), path[-1], fields)


def decode_lenient(kind: type[T], value: Mapping[str, object]) -> T:
    """Like `decode`, for a stored value: fields and values that this version refuses are left out at any depth, so that
    they get their defaults. Raises BadRequest only when a field without a default is missing."""
    fields = {key: name for name, key in _keys(kind).items()}
    value = {fields.get(key, key): item for key, item in value.items()}
    accepted = copy.deepcopy(_without_unknown(kind, value))
    while True:
        try:
            return _decode(kind, accepted, "")
        except BadRequest as error:
            if not _leave_out(accepted, str(error.field)):
                raise


def _keys(kind: object) -> Mapping[str, str]:
    """JSON key by field, for a dataclass with keys that are no Python names (its `KEYS`)."""
    keys: Mapping[str, str] = getattr(kind, "KEYS", {})
    return keys


def decode_record(kind: type[T], value: Mapping[str, object]) -> T:
    """As `decode_lenient`, for a dataclass with a field `extra`: that holds the fields that `kind` lacks, so that
    `encode_record` writes them back."""
    hints = _hints(cast(Any, kind))
    extra = {name: item for name, item in value.items() if name not in hints}
    return decode_lenient(kind, {**value, _EXTRA: extra})


def encode_record(value: object) -> dict[str, object]:
    """`encode`, with the fields of `extra` where `decode_record` read them."""
    plain = encode(value)
    extra = plain.pop(_EXTRA, {})
    return {**extra, **plain} if isinstance(extra, dict) else plain


def unknown_part(kind: type[object], value: Mapping[str, object]) -> dict[str, object]:
    """What `value` holds in fields that `kind` lacks, at any depth of nested dataclasses; {} when it lacks none."""
    part: dict[str, object] = {}
    for path, _ in _unknown_fields(kind, value):
        source: Any = value
        target: Any = part
        for name in path[:-1]:
            source, target = source[name], target.setdefault(name, {})
        target[path[-1]] = source[path[-1]]
    return part


def merge(value: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    """Both together, nested mappings too; where both have a value, that of `value` counts."""
    merged = {**other, **value}
    for name, item in other.items():
        mine = value.get(name)
        if isinstance(mine, Mapping) and isinstance(item, Mapping):
            merged[name] = merge(mine, item)
    return merged


def enum_member(kind: type[E], value: str) -> E:
    """The member of that value; for a value of another version a member that `kind` does not list, so that a record
    can be read and shown."""
    try:
        return kind(value)
    except ValueError:
        member = str.__new__(kind, value)
        member._name_, member._value_ = value, value
        return member


def _leave_out(value: object, field: str) -> bool:
    """Removes the field at that path, which may begin with the name of the whole; False when there is none.

    Of a path into a list or a mapping (`rows[...].x`), which names no element, the whole list is removed.
    """
    path = field.partition("[")[0].split(".")
    for names in (path, path[1:]):
        place = value
        for name in names[:-1]:
            place = place.get(name) if isinstance(place, dict) else None
        if names and isinstance(place, dict) and names[-1] in place:
            del place[names[-1]]
            return True
    return False


def schemas_of(kinds: Iterable[type[object]], ref_template: str) -> dict[str, dict[str, Any]]:
    """JSON Schemas (2020-12) of these types and all their parts, by name; `ref_template` holds `{name}`."""
    kinds = tuple(kinds)
    _, schemas = msgspec.json.schema_components(kinds, schema_hook=_any_value, ref_template=ref_template)
    for kind in kinds:
        if keys := _keys(kind):
            schema = schemas[kind.__name__]
            schema["properties"] = {keys.get(name, name): part for name, part in schema["properties"].items()}
    return schemas


def _any_value(kind: type[object]) -> dict[str, Any]:
    if kind is object:
        return {"description": "any JSON value"}
    raise NotImplementedError


def nested(hint: Any) -> Any:
    """The dataclass in a hint such as `Webhook | None`; None where there is none, as in `Mapping[str, Webhook]`."""
    alternatives = get_args(hint) if get_origin(hint) in (types.UnionType, Union) else (hint,)
    return next((part for part in alternatives if dataclasses.is_dataclass(part)), None)


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    """The types of a dataclass's fields, by name."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(cast(Any, kind))}


def _unknown_fields(kind: Any, value: object) -> Iterator[tuple[list[str], list[str]]]:
    """The path of every field that `kind` lacks, and the fields that it has at that place."""
    if kind is None or not isinstance(value, Mapping):
        return
    hints = _hints(kind)
    for name, item in value.items():
        if name not in hints:
            yield [str(name)], list(hints)
        else:
            yield from (([name, *path], fields) for path, fields in _unknown_fields(nested(hints[name]), item))


def _without_unknown(kind: Any, value: Any) -> Any:
    if kind is None or not isinstance(value, Mapping):
        return value
    hints = _hints(kind)
    return {name: _without_unknown(nested(hints[name]), item) for name, item in value.items() if name in hints}


def _unknown_field(field: str, name: str, fields: list[str]) -> BadRequest:
    near = difflib.get_close_matches(name, fields, 1)
    remedy = f"Did you mean {near[0]}?" if near else f"Fields: {', '.join(fields)}."
    return BadRequest(f"unknown field {field}", field=field, remedy=remedy)


def _bad_request(kind: type[Any], message: str, under: str) -> BadRequest:
    at = _AT.search(message)
    path = [part for part in (at["path"].split(".") if at else []) if part]
    cause = _AT.sub("", message)
    if missing := _MISSING.match(cause):
        path, cause = [*path, missing["name"]], "is missing"
    path = [_keys(kind).get(name, name) for name in path[:1]] + path[1:]
    field = ".".join(([under] if under else []) + path) or "body"
    remedy = "See GET /openapi.json for the schema."
    if choices := _choices(kind, path):
        remedy = f"One of {', '.join(choices)}."
    return BadRequest(f"{field}: {cause}", field=field, remedy=remedy)


def _choices(kind: Any, path: list[str]) -> list[str]:
    """What a field of few values may be."""
    hint: Any = kind
    fields = {key: name for name, key in _keys(kind).items()}
    for name in [fields.get(part, part) for part in path[:1]] + path[1:]:
        hint = get_type_hints(nested(hint)).get(name) if nested(hint) else None
    for part in (hint, *get_args(hint)):
        if get_origin(part) is Literal:
            return [str(value) for value in get_args(part)]
        if isinstance(part, type) and issubclass(part, enum.Enum):
            return [str(member.value) for member in part]
    return []


def encode(value: object, *, partial: bool = False) -> dict[str, object]:
    """A dataclass, or a mapping, as plain JSON values. `None` means absent and is left out, at any depth.

    partial: leave out the dataclass's fields that still have their defaults.
    """
    if value is None:
        return {}
    plain = msgspec.to_builtins(value)
    if partial and dataclasses.is_dataclass(value) and not isinstance(value, type):
        untouched = msgspec.to_builtins(type(value)())
        plain = {name: item for name, item in plain.items() if item != untouched[name]}
    keys = _keys(value)
    return {keys.get(name, name): _without_none(item) for name, item in plain.items() if item is not None}


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
