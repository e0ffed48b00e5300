"""Embedded metric format: one log line → the PutMetricData entries that CloudWatch would make of it. Pure.

Source: the EMF specification in CloudWatch's user guide (`_aws.CloudWatchMetrics`, `Dimensions` as lists of names,
values as a number or a list of numbers beside them).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypedDict

# Limits of one PutMetricData call.
MAX_ENTRIES = 1000
MAX_VALUES = 150

_Document = Mapping[str, object]


class Dimension(TypedDict):
    """One dimension of a metric."""

    Name: str
    Value: str


class Entry(TypedDict):
    """One entry of PutMetricData."""

    MetricName: str
    Timestamp: datetime
    Unit: str
    Values: list[float]
    Dimensions: list[Dimension]


def entries(line: str) -> Iterator[tuple[str, Entry]]:
    """(namespace, entry) for every metric and dimension set in the line; nothing for a line that is not EMF."""
    document = _parse(line)
    header = document.get("_aws")
    if not isinstance(header, dict):
        return
    stamp, directives = header.get("Timestamp"), header.get("CloudWatchMetrics")
    if not isinstance(stamp, int | float) or not isinstance(directives, list):
        return
    at = datetime.fromtimestamp(stamp / 1000, UTC)
    for directive in directives:
        for entry in _entries_of(directive, document, at):
            yield str(directive.get("Namespace", "")), entry


def _entries_of(directive: _Document, document: _Document, at: datetime) -> Iterator[Entry]:
    for metric in _dicts(directive.get("Metrics")):
        name, unit = str(metric.get("Name", "")), str(metric.get("Unit", "None"))
        values = _numbers(document.get(name))[:MAX_VALUES]
        for dimensions in _dimension_sets(directive, document) if values else ():
            yield Entry(MetricName=name, Timestamp=at, Unit=unit, Values=values, Dimensions=dimensions)


def _dimension_sets(directive: _Document, document: _Document) -> Iterator[list[Dimension]]:
    """The sets of the directive with their values; a single empty set when it has none."""
    sets = directive.get("Dimensions")
    for names in sets if isinstance(sets, list) and sets else [[]]:
        yield [Dimension(Name=name, Value=str(document.get(name, ""))) for name in names]


def _dicts(value: object) -> list[_Document]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def batches(lines: Iterable[str]) -> Iterator[tuple[str, list[Entry]]]:
    """(namespace, entries) in calls of at most MAX_ENTRIES."""
    by_namespace: dict[str, list[Entry]] = {}
    for line in lines:
        for namespace, entry in entries(line):
            by_namespace.setdefault(namespace, []).append(entry)
    for namespace, items in by_namespace.items():
        for start in range(0, len(items), MAX_ENTRIES):
            yield namespace, items[start : start + MAX_ENTRIES]


def _parse(line: str) -> _Document:
    """The JSON object in the line, after whatever prefix Lambda wrote; {} where there is none."""
    if '"_aws"' not in line:
        return {}
    try:
        document = json.loads(line[line.index("{") :])
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _numbers(value: object) -> list[float]:
    candidates = value if isinstance(value, list) else [value]
    return [float(item) for item in candidates if isinstance(item, int | float) and not isinstance(item, bool)]
