"""The sweeper cleans up what has lived its time: once, as its deploy had asked, and never what is protected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from chalicelib.api import deployments
from chalicelib.domain.model import Action, Deployment
from chalicelib.lifecycle.sweep import sweep

from tests.fakes import FakeAws
from tests.fakes.calls import NOW, ask

OVER = (NOW - timedelta(minutes=1)).isoformat()


def world(**attributes: Any) -> FakeAws:
    aws = FakeAws()
    aws.records.attributes["dev"] = {
        "expires_at": OVER,
        "at_expiry": {"remove_secret": True, "secret_recovery_days": 0},
        **attributes,
    }
    return aws


def swept(aws: FakeAws) -> list[Deployment]:
    """All deployments there are once the sweeper has looked."""
    sweep({}, aws.as_aws(), lambda: NOW)
    return list(aws.records.started.values())


def test_it_is_cleaned_up_with_its_secret_as_its_deploy_had_asked() -> None:
    (started,) = swept(world())
    assert (started.action, started.caller) == (Action.CLEANUP, "proxyctl-sweep")
    assert (started.options.remove_secret, started.options.secret_recovery_days) == (True, 0)
    assert OVER in started.options.reason


def test_the_sweeper_looks_often_and_cleans_up_once() -> None:
    aws = world()
    swept(aws)
    assert len(swept(aws)) == 1
    aws.records.attributes["dev"]["lock"] = None
    assert len(swept(aws)) == 1


def test_a_new_deploy_gives_it_a_new_time() -> None:
    aws = world()
    swept(aws)
    aws.records.attributes["dev"] |= {"lock": None, "expires_at": (NOW - timedelta(seconds=1)).isoformat()}
    assert len(swept(aws)) == 2


@pytest.mark.parametrize(
    "attributes",
    [
        {"expires_at": (NOW + timedelta(minutes=1)).isoformat()},
        {"expires_at": None},
        {"live": {"version": "1", "deployment_id": "d", "at": "t", "artifact": "", "config": {"protected": True}}},
    ],
)
def test_what_has_time_left_or_is_protected_stays(attributes: dict[str, Any]) -> None:
    assert swept(world(**attributes)) == []


def test_one_that_is_busy_is_left_until_it_is_free() -> None:
    aws = world(expires_at=None)
    busy = ask(aws, deployments.start, {"environment": "dev"}).body["id"]
    aws.records.attributes["dev"]["expires_at"] = OVER
    assert [item.id for item in swept(aws)] == [busy]
