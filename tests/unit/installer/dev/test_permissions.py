"""Facts about what functions may do: every statement is known, and those that no run in the embedded cloud misses are
there with what an account needs."""

from __future__ import annotations

import json
from typing import cast

import pytest
from chalicelib.engine import policies

from installer.dev import permissions
from installer.packaging.template import Statement

DOCUMENTS = permissions.of_checkout()


def statements(name: str) -> dict[str, Statement]:
    return {statement["Sid"]: statement for statement in DOCUMENTS[name]["Statement"]}


def test_the_page_tells_every_statement() -> None:
    assert permissions.PAGE.read_text() == permissions.page(), "run: python -m installer.dev.permissions"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_statement_that_goes_is_missed(name: str) -> None:
    whole = permissions.page(DOCUMENTS)
    policy = DOCUMENTS[name]["Statement"]
    for place in range(len(policy)):
        without = [statement for number, statement in enumerate(policy) if number != place]
        assert permissions.page({**DOCUMENTS, name: {"Statement": without}}) != whole


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {policies.CHANGE_STACKS}))
def test_every_function_may_write_its_own_log_and_no_other(name: str) -> None:
    own = statements(name)["WriteOwnLog"]
    assert set(own["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    (resource,) = cast("dict[str, str]", own["Resource"]).values()
    assert resource.endswith(":log-group:/proxyctl/controlplane:*")


@pytest.mark.parametrize("name", ["prepare_secret", "check_drift", "preflight"])
def test_an_adopted_secret_is_reached_only_by_the_tag_that_adopts_it(name: str) -> None:
    adopted = [statement for sid, statement in statements(name).items() if "AnAdopted" in sid]
    assert adopted
    for statement in adopted:
        assert "aws:ResourceTag/proxyctl:owner" in json.dumps(statement["Condition"])
