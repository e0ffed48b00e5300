"""Fields of stored configurations that a direct installation would ignore."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.adapters import items

from installer.upgrades import stored_fields


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({}, []),
        ({"memory_mb": 640, "throttle": {"burst": 7}, "target": None}, []),
        ({"target": {"role_arn": "a", "of_tomorrow": 1}}, ["config.target.of_tomorrow"]),
        ({"of_tomorrow": {"a": 1}}, ["config.of_tomorrow"]),
        ({"of_tomorrow": 0.5, "throttle": {"of_tomorrow": "x"}}, ["config.of_tomorrow", "config.throttle.of_tomorrow"]),
        ({"of_tomorrow": None, "other": False, "list": [], "map": {}, "text": ""}, []),
    ],
)
def test_a_field_that_is_set_and_unknown_is_named(config: dict[str, Any], paths: list[str]) -> None:
    stored: Any = items.write({"config": config})["config"]
    assert sorted(stored_fields.unknown(stored)) == paths
