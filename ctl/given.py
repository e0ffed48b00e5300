"""What the caller gave: JSON from arguments, files and standard input, and what makes a command impossible to begin."""

import json
from pathlib import Path
from typing import Any


class Refused(Exception):
    """The command cannot begin; exit code 2."""


def json_object(where: str, given: str) -> dict[str, Any]:
    """The JSON object in `given`."""
    try:
        value = json.loads(given)
    except (ValueError, RecursionError) as problem:
        raise Refused(f"{where} is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise Refused(f"{where} must be a JSON object")
    return value


def json_argument(where: str, given: str) -> dict[str, Any]:
    """The same for an argument, which may be `@file`."""
    if not given.startswith("@"):
        return json_object(where, given)
    try:
        text = Path(given[1:]).read_text(encoding="utf-8")
    except OSError as problem:
        raise Refused(f"{where}: {given[1:]} cannot be read: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise Refused(f"{where}: {given[1:]} is not UTF-8 text") from None
    return json_object(f"{where} ({given[1:]})", text)
