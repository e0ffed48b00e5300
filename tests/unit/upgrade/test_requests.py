"""`{"target": "controlplane", "bundle": …}` is the only way to an upgrade."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.errors import BadRequest
from chalicelib.upgrade import requests

KEY = f"controlplane/release-{'a' * 64}.json"


def test_a_target_becomes_a_deployment_of_the_record_environment() -> None:
    body = requests.rewrite({"target": "controlplane", "bundle": KEY, "force": True, "reason": "why"})
    assert body["environment"] == "controlplane"
    assert body["action"] == "upgrade"
    assert body["options"] == {"bundle": KEY, "force": True, "reason": "why"}


def test_any_other_body_stays_as_it_is() -> None:
    body = {"environment": "dev", "action": "deploy", "options": {"force": True}}
    assert requests.rewrite(body) is body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": "dev", "bundle": KEY}, "target"),
        ({"target": "controlplane"}, "bundle"),
        ({"target": "controlplane", "bundle": "artifacts/x.zip"}, "bundle"),
        ({"target": "controlplane", "bundle": KEY, "config": {}}, "config"),
        ({"target": "controlplane", "bundle": KEY, "environment": "dev"}, "environment"),
        ({"target": "controlplane", "bundle": KEY, "force": "yes"}, "force"),
        ({"target": "controlplane", "bundle": 7}, "bundle"),
        ({"environment": "controlplane"}, "environment"),
        ({"environment": "dev", "action": "upgrade"}, "environment"),
        ({"environment": "dev", "options": {"bundle": KEY}}, "options.bundle"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        requests.rewrite(body)
    assert refused.value.field == field
