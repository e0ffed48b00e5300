"""Items as another version of the control plane writes them: recorded ones of an earlier version, and, made from them,
those of a later one, which has fields and values that this version lacks. In DynamoDB's JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from chalicelib.adapters.table import plain

Item = dict[str, Any]

_RECORDS = Path(__file__).resolve().parents[1] / "fixtures" / "records"
UNKNOWN = "of_a_later_version"
UNKNOWN_VALUE = {"text": "new", "numbers": [1, 2]}
_UNKNOWN: Item = {"M": {"text": {"S": "new"}, "numbers": {"L": [{"N": "1"}, {"N": "2"}]}}}
# Attributes whose maps are dataclasses here, so that a later version may have more fields in them.
_TYPED = ("config", "options", "lock", "live", "last_good", "previous")


def table(environment: str = "shop") -> list[Item]:
    """The recorded table; its environment `shop` under another name."""
    return _read("table.json", environment)


def midway(environment: str = "shop") -> list[Item]:
    """Recorded items of deployments that are running."""
    return _read("midway.json", environment)


def _read(file: str, environment: str) -> list[Item]:
    items: list[Item] = json.loads((_RECORDS / file).read_text().replace("shop", environment))
    return items


def of_a_later_version(items: Iterable[Item]) -> list[Item]:
    """The same items with unknown fields: in each item, in each of its parts that is a dataclass, and in evidence."""
    return [_extended(copy.deepcopy(item)) for item in items]


def _extended(item: Item) -> Item:
    for fields in (item, *_parts(item)):
        fields[UNKNOWN] = _UNKNOWN
    return item


def _parts(item: Item) -> Iterator[Item]:
    for name, value in item.items():
        if name == "releases":
            for release in value["L"]:
                yield from _dataclasses(release["M"])
        elif "M" in value and (name in _TYPED or name in ("evidence", "cursor") or name.startswith("applied_")):
            yield from _dataclasses(value["M"]) if name in _TYPED else [value["M"]]


def _dataclasses(fields: Item) -> Iterator[Item]:
    """These fields, those of a release's configuration, and those of its groups (`throttle`)."""
    yield fields
    for value in fields.values():
        if "M" in value:
            yield from _dataclasses(value["M"])


def cut(items: Iterable[Item]) -> list[Item]:
    """Items with their keys and nothing else, as if every attribute had gone or been renamed."""
    return [{name: item[name] for name in ("pk", "sk", "listed", "listed_all", "at") if name in item} for item in items]


def of_kind(items: Iterable[Item], partition: str, sort: str) -> list[dict[str, Any]]:
    """The plain values of the items under keys that begin so."""
    return [plain(item) for item in items if item["pk"]["S"].startswith(partition) and item["sk"]["S"].startswith(sort)]
