"""Values in a form that can be compared and shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, is_dataclass

_SHOWN = 300  # characters of a value that evidence holds, so that a policy document is cut


def shorten(value: object) -> str:
    """The value as text of at most 300 characters."""
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def plain(value: object) -> object:
    """Numbers as floats, collections as lists, dataclasses as dicts: 3 and 3.0 are the same threshold.

    CloudWatch returns other types than it was given.
    """
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Collection):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {key: plain(item) for key, item in asdict(value).items()}
    return value
