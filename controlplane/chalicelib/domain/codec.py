"""The edge: JSON becomes dataclasses here, or a BadRequest that names the field. msgspec does the work.

msgspec and not pydantic: every Lambda decodes what the state machine hands it, and this costs a cold start a tenth.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import enum
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from .errors import BadRequest

T = TypeVar("T")

_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")


def decode(kind: type[T], given: Any, *, under: str = "") -> T:
    """`given` as `kind`. Raises BadRequest naming the first wrong field, with `under` in front of its path."""
    for path, known in _unknown(kind, given):
        raise _unknown_field(".".join(([under] if under else []) + path), path[-1], known)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise _bad_request(kind, str(error), under) from error


def decode_lenient(kind: type[T], given: Any) -> T:
    """Like `decode`, for what an earlier version has stored: fields and values that this one does not take are left
    out, at any depth, so that a record stays readable whatever is refused today."""
    told = copy.deepcopy(_known(kind, given))
    while True:
        try:
            return decode(kind, told)
        except BadRequest as error:
            if not _left_out(told, str(error.field).split(".")):
                raise


def _left_out(given: Any, path: list[str]) -> bool:
    """Removes the field at `path`, which may begin with the name of the whole; False when there is none."""
    for names in (path, path[1:]):
        place = given
        for name in names[:-1]:
            place = place.get(name) if isinstance(place, dict) else None
        if names and isinstance(place, dict) and names[-1] in place:
            del place[names[-1]]
            return True
    return False


def schema_of(kind: type[Any], ref_template: str) -> dict[str, Any]:
    """JSON Schema of what `decode` takes, all its parts under `$defs`; `ref_template` holds `{name}`."""
    (schema,), parts = msgspec.json.schema_components([kind], ref_template=ref_template)
    for part in parts.values():
        if part.get("type") == "object":
            part["additionalProperties"] = False
    told: dict[str, Any] = parts.pop(kind.__name__, schema)
    return told | {"$defs": parts}


def _part(hint: Any) -> Any:
    """The dataclass in a hint such as `Webhook | None`; None where there is none."""
    return next((one for one in (hint, *get_args(hint)) if dataclasses.is_dataclass(one)), None)


def _unknown(kind: Any, given: Any) -> Iterator[tuple[list[str], list[str]]]:
    """Path of every field that `kind` does not have, and the fields that it has at that place."""
    if kind is None or not isinstance(given, Mapping):
        return
    hints = get_type_hints(kind)
    for name, value in given.items():
        if name not in hints:
            yield [str(name)], list(hints)
        else:
            yield from (([name, *path], known) for path, known in _unknown(_part(hints[name]), value))


def _known(kind: Any, given: Any) -> Any:
    if kind is None or not isinstance(given, Mapping):
        return given
    hints = get_type_hints(kind)
    return {name: _known(_part(hints[name]), value) for name, value in given.items() if name in hints}


def _unknown_field(field: str, name: str, known: list[str]) -> BadRequest:
    near = difflib.get_close_matches(name, known, 1)
    remedy = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."
    return BadRequest(f"unknown field {field}", field=field, remedy=remedy)


def _bad_request(kind: type[Any], message: str, under: str) -> BadRequest:
    at = _AT.search(message)
    path = [part for part in (at["path"].split(".") if at else []) if part]
    said = _AT.sub("", message)
    if missing := _MISSING.match(said):
        path, said = [*path, missing["name"]], "is missing"
    field = ".".join(([under] if under else []) + path) or "body"
    remedy = "See GET /openapi.json for the schema."
    if choices := _choices(kind, path):
        remedy = f"One of {', '.join(choices)}."
    return BadRequest(f"{field}: {said}", field=field, remedy=remedy)


def _choices(kind: Any, path: list[str]) -> list[str]:
    """What a field of few values may be."""
    hint: Any = kind
    for name in path:
        hint = get_type_hints(_part(hint)).get(name) if _part(hint) else None
    for one in (hint, *get_args(hint)):
        if get_origin(one) is Literal:
            return [str(value) for value in get_args(one)]
        if isinstance(one, type) and issubclass(one, enum.Enum):
            return [str(value.value) for value in one]
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
    return {name: _without_none(item) for name, item in plain.items() if item is not None}


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
