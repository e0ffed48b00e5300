"""JSON from arguments, files and standard input, and the refusal of what is not JSON."""

import json
from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"  # Windows editors and PowerShell write it in front of UTF-8 text


class Refused(Exception):
    """The command cannot start; exit code 2."""


def json_object(where: str, text: str) -> dict[str, object]:
    """The JSON object in `text`. Raises Refused, naming `where`, also for a field that stands twice."""
    try:
        value = _fields_once(where, json.loads(text, object_pairs_hook=tuple), "")
    except (ValueError, RecursionError) as problem:
        raise Refused(f"{where} is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise Refused(f"{where} must be a JSON object")
    return value


def _fields_once(where: str, value: object, path: str) -> object:
    """The value with dicts in place of tuples of (name, value). The API refuses the same, but would not see it: sending
    a dict leaves one of the two out."""
    if isinstance(value, list):
        return [_fields_once(where, item, f"{path}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, tuple):
        return value
    fields: dict[str, object] = {}
    for name, item in value:
        below = f"{path}.{name}" if path else name
        if name in fields:
            raise Refused(f"{where}: {below} stands twice")
        fields[name] = _fields_once(where, item, below)
    return fields


def json_argument(where: str, argument: str) -> dict[str, object]:
    """The JSON object in an argument, or in the file that `@file` names. Raises Refused, naming `where`."""
    if not argument.startswith("@"):
        return json_object(where, argument)
    file = argument[1:]
    try:
        text = Path(file).read_text(encoding="utf-8").removeprefix(BYTE_ORDER_MARK)
    except OSError as problem:
        raise Refused(f"{where}: {file} cannot be read: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise Refused(f"{where}: {file} is not UTF-8 text") from None
    return json_object(f"{where} ({file})", text)
