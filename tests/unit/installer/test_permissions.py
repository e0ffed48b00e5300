"""Facts about what functions may do: every statement is known, and those that no run in the embedded cloud misses are
there with what an account needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from installer import permissions

POLICIES = permissions.ROOT / "controlplane" / "policies"
NAMES = sorted(path.stem for path in POLICIES.glob("*.json"))


def statements(name: str) -> dict[str, dict[str, Any]]:
    told = json.loads((POLICIES / f"{name}.json").read_text())["Statement"]
    return {one["Sid"]: one for one in told}


def test_the_page_tells_every_statement() -> None:
    assert permissions.PAGE.read_text() == permissions.page(), "run: python -m installer.permissions"


@pytest.mark.parametrize("name", NAMES)
def test_each_statement_that_goes_is_missed(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.json"
    policy = json.loads((POLICIES / f"{name}.json").read_text())
    path.write_text(json.dumps(policy))
    whole = permissions.page(tmp_path)
    for place in range(len(policy["Statement"])):
        without = [one for number, one in enumerate(policy["Statement"]) if number != place]
        path.write_text(json.dumps({**policy, "Statement": without}))
        assert permissions.page(tmp_path) != whole


@pytest.mark.parametrize("name", NAMES)
def test_every_function_may_write_its_own_log_and_no_other(name: str) -> None:
    own = statements(name)["WriteOwnLog"]
    assert set(own["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert own["Resource"]["Fn::Sub"].endswith(":log-group:/proxyctl/controlplane:*")


@pytest.mark.parametrize("name", ["prepare_secret", "check_drift", "preflight"])
def test_an_adopted_secret_is_reached_only_by_the_tag_that_adopts_it(name: str) -> None:
    adopted = [one for sid, one in statements(name).items() if "AnAdopted" in sid]
    assert adopted
    for one in adopted:
        assert "aws:ResourceTag/proxyctl:owner" in json.dumps(one["Condition"])
