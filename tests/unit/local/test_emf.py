"""EMF lines become the metrics that CloudWatch would make of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from local import emf

LINE = json.dumps(
    {
        "_aws": {
            "Timestamp": 1_700_000_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "proxyctl",
                    "Dimensions": [["environment"], ["environment", "model"]],
                    "Metrics": [{"Name": "Requests", "Unit": "Count"}, {"Name": "Overhead", "Unit": "Milliseconds"}],
                }
            ],
        },
        "environment": "dev",
        "model": "gpt-4o-mini",
        "Requests": 1,
        "Overhead": [0.2, 0.4],
    }
)


def test_every_metric_is_put_once_for_each_dimension_set() -> None:
    names = [(entry["MetricName"], len(entry["Dimensions"])) for _, entry in emf.entries(LINE)]
    assert names == [("Requests", 1), ("Requests", 2), ("Overhead", 1), ("Overhead", 2)]


def test_an_entry_carries_time_unit_values_and_dimension_values() -> None:
    namespace, entry = list(emf.entries(LINE))[3]
    assert namespace == "proxyctl"
    assert entry == {
        "MetricName": "Overhead",
        "Timestamp": datetime.fromtimestamp(1_700_000_000, UTC),
        "Unit": "Milliseconds",
        "Values": [0.2, 0.4],
        "Dimensions": [{"Name": "environment", "Value": "dev"}, {"Name": "model", "Value": "gpt-4o-mini"}],
    }


def test_a_prefix_before_the_object_does_not_hide_it() -> None:
    assert len(list(emf.entries("2026-01-01T00:00:00Z INFO " + LINE))) == 4


def test_lines_that_are_not_emf_give_nothing() -> None:
    others = ["", "START RequestId: 1", '{"level": "INFO"}', '{"_aws": 1}', '"_aws" but not JSON', '{"_aws": {}}']
    assert [list(emf.entries(line)) for line in others] == [[]] * len(others)


def test_a_metric_without_a_number_is_left_out() -> None:
    document = json.loads(LINE) | {"Requests": "many", "Overhead": True}
    assert list(emf.entries(json.dumps(document))) == []


def test_calls_stay_within_the_entries_that_one_call_takes() -> None:
    sizes = [len(names) for _, names in emf.batches([LINE] * 300)]
    assert sizes == [emf.MAX_ENTRIES, 200]
