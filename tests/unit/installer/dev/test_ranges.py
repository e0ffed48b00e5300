"""The reference's defaults and ranges are those of the codec: each row is read as a person reads it, and tried."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from chalicelib.domain.codec import decode, encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Options

from installer.dev import reference

KINDS: dict[str, type[Any]] = {"config": Config, "options": Options}
_ROW = re.compile(r"^\| `(?P<name>[\w.]+)` \| (?P<type>[^|]+) \| (?P<default>[^|]*) \| (?P<range>[^|]*) \|", re.M)
_SPAN = re.compile(r"^(?P<low>[\d,.]+) to (?P<high>[\d,.]+)$")
# Numbers without a span: the list of values that the row has instead.
LISTED = {"config.log_retention_days"}


def rows() -> Iterator[tuple[str, dict[str, str]]]:
    page = reference.configuration()
    for root in KINDS:
        section = page.partition(f"\n## {root}\n")[2].partition("\n## ")[0]
        yield from ((f"{root}.{row['name']}", row.groupdict()) for row in _ROW.finditer(section))


ROWS = dict(rows())
NUMBERS = {path: row for path, row in ROWS.items() if "number" in row["type"] and "list" not in row["type"]}
SPANS = {path: span for path, row in NUMBERS.items() if (span := _SPAN.match(row["range"]))}
CHOICES = {path: re.findall(r"`([^`]+)`", row["range"]) for path, row in ROWS.items() if row["range"].startswith("`")}


def number(text: str) -> float:
    return json.loads(text.replace(",", ""))  # type: ignore[no-any-return]


def body(path: str, value: object) -> tuple[type[Any], dict[str, Any]]:
    """The type, and an object of it with one field set."""
    root, *names = path.split(".")
    # A trace is taken together with the arrivals that it is for.
    made: Any = value
    if path == "options.load.trace":
        return KINDS[root], {"load": {"trace": value, "arrivals": "trace"}}
    for name in reversed(names):
        made = {name: made}
    return KINDS[root], made


def refused(path: str, value: object) -> str:
    """The field that the codec refuses for this value; "" when it takes it."""
    kind, made = body(path, value)
    try:
        decode(kind, made, under=path.partition(".")[0])
    except BadRequest as refusal:
        return refusal.field or "?"
    return ""


def leaves(value: Any, under: str) -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        path = f"{under}.{name}"
        if isinstance(part, dict):
            yield from leaves(part, path)
        else:
            yield path, part


@pytest.mark.parametrize("root", KINDS)
def test_every_default_of_the_types_is_the_one_in_its_row(root: str) -> None:
    defaults = dict(leaves(encode(KINDS[root]()), root))
    assert len(defaults) > 10
    for path, value in defaults.items():
        assert json.loads(ROWS[path]["default"].strip("`")) == value, path


def test_no_number_is_without_a_range() -> None:
    assert {path for path in NUMBERS if path not in SPANS} == LISTED


@pytest.mark.parametrize("path", SPANS)
def test_a_number_is_taken_at_both_ends_of_its_range_and_refused_beyond(path: str) -> None:
    low, high = (number(SPANS[path][end]) for end in ("low", "high"))
    whole = "whole" in ROWS[path]["type"]
    step = 1 if whole else max(abs(high), 1) * 1e-9
    assert refused(path, low - step) == path
    assert refused(path, high + step) == path
    for end in (low, high):
        assert refused(path, end) != path


@pytest.mark.parametrize("path", CHOICES)
def test_each_listed_value_is_taken_and_no_other(path: str) -> None:
    for choice in CHOICES[path]:
        value = number(choice) if path in NUMBERS else choice
        assert refused(path, value) != path, choice
    assert refused(path, 8 if path in NUMBERS else "another") == path


@pytest.mark.parametrize(
    ("path", "item"),
    [("options.reason", "x"), ("options.tune_memory", None), ("config.notify", None), ("options.load.trace", None)],
)
def test_a_text_or_a_list_is_taken_in_its_full_length_and_refused_beyond(path: str, item: str | None) -> None:
    longest = int(number(re.search(r"up to ([\d,]+)", ROWS[path]["range"])[1]))  # type: ignore[index]

    def of(length: int) -> object:
        if item:
            return item * length
        if path == "config.notify":
            return [f"person-{at}@example.org" for at in range(length)]
        return [128 + at for at in range(length)] if path.endswith("memory") else [0.0] * length

    assert refused(path, of(longest)) != path
    assert refused(path, of(longest + 1)) == path
