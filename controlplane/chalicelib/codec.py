"""The edge: JSON becomes dataclasses here, or a BadRequest that names the field. pydantic does the work."""

from __future__ import annotations

import dataclasses
import difflib
import json
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from .errors import BadRequest, RolloutError

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> Any:
    # On first use: only the Lambdas that decode pay for pydantic's import.
    from pydantic import TypeAdapter

    for part in _dataclasses_in(kind):
        part.__pydantic_config__ = {"extra": "forbid", "strict": True}
    return TypeAdapter(kind)


def _dataclasses_in(kind: type[Any]) -> list[Any]:
    """The dataclass itself and those that its fields hold, at any depth."""
    found: list[Any] = []
    waiting: list[Any] = [kind]
    while waiting:
        part = waiting.pop()
        if dataclasses.is_dataclass(part) and part not in found:
            found.append(part)
            waiting.extend(get_type_hints(part).values())
        waiting.extend(getattr(part, "__args__", ()))
    return found


def schema_of(kind: type[Any], ref_template: str) -> dict[str, Any]:
    """JSON Schema of what `decode` takes; `ref_template` holds `{model}`."""
    schema: dict[str, Any] = _adapter(cast(Any, kind)).json_schema(ref_template=ref_template)
    return schema


def decode(kind: type[T], given: Any, *, under: str = "") -> T:
    """`given` as `kind`. Raises BadRequest naming the first wrong field, with `under` in front of its path."""
    from pydantic import ValidationError

    try:
        # As JSON: enums come as strings and tuples as arrays, but "5" is not 5.
        value: T = _adapter(cast(Any, kind)).validate_json(_json(given))
    except ValidationError as error:
        raise _bad_request(kind, error, under) from error
    return value


def decode_lenient(kind: type[T], given: Any) -> T:
    """Like `decode`, but fields that this version does not know are left out, at any depth."""
    return decode(kind, _known(kind, given))


def _known(kind: Any, given: Any) -> Any:
    if not (dataclasses.is_dataclass(kind) and isinstance(given, dict)):
        return given
    hints = get_type_hints(kind)
    return {key: _known(hints[key], value) for key, value in given.items() if key in hints}


def _json(given: Any) -> bytes:
    return json.dumps(given).encode()


def _bad_request(kind: type[Any], error: Any, under: str) -> RolloutError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    field = ".".join(([under] if under else []) + path) or under or "body"
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return BadRequest(f"unknown field {field}", field=field, remedy=_suggestion(kind, path))
    return BadRequest(f"{field}: {first['msg']}", field=field, remedy="See GET /openapi.json for the schema.")


def _suggestion(kind: type[Any], path: list[str]) -> str:
    """Which fields there are at that place, the likeliest first."""
    at: Any = kind
    for part in path[:-1]:
        at = get_type_hints(at).get(part, at)
    known = [field.name for field in dataclasses.fields(at)] if dataclasses.is_dataclass(at) else []
    near = difflib.get_close_matches(path[-1], known, 1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."
