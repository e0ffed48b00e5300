"""AWS's own limits on a request's parameters: lengths, ranges, patterns and enumerations of botocore's service model.

botocore itself checks types, required members and minimum lengths only. Standard library and botocore: the emulator's
Lambdas import it, too.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """`path: what is wrong` for each value that AWS refuses. shape: botocore's, of an operation's input."""
    if value is None or shape is None:
        return
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _range(len(value), shape.metadata, path, "items")
            for index, item in enumerate(value):
                yield from violations(shape.member, item, f"{path}[{index}]")
        case "map":
            yield from _range(len(value), shape.metadata, path, "entries")
            for key, item in value.items():
                yield from violations(shape.key, key, f"{path}.{key} (key)")
                yield from violations(shape.value, item, f"{path}.{key}")
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long" | "float" | "double":
            yield from _range(value, shape.metadata, path, "")
        case "blob" if isinstance(value, str | bytes):
            yield from _range(len(value), shape.metadata, path, "bytes")


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, item in value.items():
        if name in shape.members:
            yield from violations(shape.members[name], item, f"{path}.{name}" if path else name)


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        return
    yield from _range(len(value), shape.metadata, path, "characters")
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
    pattern = compiled(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield f"{path}: {value[:100]!r} does not match {pattern.pattern}"


def _range(number: float, metadata: Mapping[str, Any], path: str, unit: str) -> Iterator[str]:
    low, high = metadata.get("min"), metadata.get("max")
    if low is not None and number < low:
        yield f"{path}: {number} {unit} is below {low}"
    if high is not None and number > high:
        yield f"{path}: {number} {unit} is above {high}"


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    r"""The pattern as Python has it; None for none, and for those in Java's syntax alone, such as `\p{L}`."""
    try:
        return re.compile(pattern, re.DOTALL) if pattern else None
    except re.error:
        return None
