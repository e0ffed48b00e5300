"""Embedded metric format: one log line → the PutMetricData entries that CloudWatch would make of it. Pure.

Source: the EMF specification in CloudWatch's user guide (`_aws.CloudWatchMetrics`, `Dimensions` as lists of names,
values as a number or a list of numbers beside them).
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

# Limits of one PutMetricData call.
MAX_ENTRIES = 1000
MAX_VALUES = 150

Entry = dict[str, Any]


def entries(line: str) -> Iterator[tuple[str, Entry]]:
    """(namespace, entry) for every metric and dimension set in the line; nothing for a line that is not EMF."""
    document = _document(line)
    if document is None:
        return
    stamp = document["_aws"].get("Timestamp")
    directives = document["_aws"].get("CloudWatchMetrics")
    if not isinstance(stamp, int | float) or not isinstance(directives, list):
        return
    at = datetime.fromtimestamp(stamp / 1000, UTC)
    for directive in directives:
        for metric in directive.get("Metrics", []):
            values = _numbers(document.get(metric.get("Name", "")))
            if not values:
                continue
            for names in directive.get("Dimensions") or [[]]:
                yield (
                    str(directive.get("Namespace", "")),
                    {
                        "MetricName": metric["Name"],
                        "Timestamp": at,
                        "Unit": metric.get("Unit", "None"),
                        "Values": values[:MAX_VALUES],
                        "Dimensions": [{"Name": name, "Value": str(document.get(name, ""))} for name in names],
                    },
                )


def batches(lines: Iterable[str]) -> Iterator[tuple[str, list[Entry]]]:
    """(namespace, entries) in calls of at most MAX_ENTRIES."""
    by_namespace: dict[str, list[Entry]] = {}
    for line in lines:
        for namespace, entry in entries(line):
            by_namespace.setdefault(namespace, []).append(entry)
    for namespace, found in by_namespace.items():
        for start in range(0, len(found), MAX_ENTRIES):
            yield namespace, found[start : start + MAX_ENTRIES]


def _document(line: str) -> dict[str, Any] | None:
    if '"_aws"' not in line:
        return None
    try:
        document = json.loads(line[line.index("{") :])
    except ValueError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("_aws"), dict) else None


def _numbers(value: object) -> list[float]:
    candidates = value if isinstance(value, list) else [value]
    return [float(one) for one in candidates if isinstance(one, int | float) and not isinstance(one, bool)]
