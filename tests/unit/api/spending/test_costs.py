"""GET /environments/{name}/costs: at rest, per million requests, and what rollouts cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.api import deployments
from chalicelib.api.spending import costs
from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.domain.nights import CALLER

from tests.fakes import FakeAws, settings
from tests.fakes.calls import ask


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    aws.records.attributes["dev"] = {"status": "LIVE", "last_deployment": "d-1"}
    return aws


def shown(aws: FakeAws) -> Any:
    return ask(aws, costs.show, name="dev").body


def revalidated(aws: FakeAws, usage: Usage | None, caller: str = CALLER) -> str:
    """An environment whose last revalidation used so much; answers the deployment's ID."""
    deployment_id: str = ask(aws, deployments.start, {"environment": "dev"}).body["id"]
    aws.records.started[deployment_id] = replace(aws.records.started[deployment_id], caller=caller)
    aws.records.put_phase(
        deployment_id, PhaseRecord(1, "preflight", PhaseStatus.SUCCEEDED, polls=1, usage=usage, started_at="2026")
    )
    aws.records.attributes["dev"] |= {"last_revalidation": {"verdict": "GOOD", "deployment_id": deployment_id}}
    return deployment_id


def test_an_environment_without_a_recorded_night_has_typical_ones(aws: FakeAws) -> None:
    at_rest = shown(aws)["at_rest"]
    assert at_rest["nights"] == ""
    assert 1.30 < at_rest["usd"] <= 1.50
    assert at_rest["usd"] == pytest.approx(sum(each["usd"] for each in at_rest["lines"]), abs=1e-5)


def test_a_revalidation_on_request_is_no_night(aws: FakeAws) -> None:
    """Its load is another."""
    revalidated(aws, Usage(calls=10, gb_s=1_000), "arn:aws:iam::123456789012:user/me")
    assert shown(aws)["at_rest"]["nights"] == ""


def test_nights_are_taken_from_the_last_one_on_record(aws: FakeAws) -> None:
    before = shown(aws)["at_rest"]["usd"]
    checked = revalidated(aws, Usage(calls=10, gb_s=1_000))
    at_rest = shown(aws)["at_rest"]
    assert at_rest["nights"] == checked
    assert at_rest["usd"] > before
    assert any(each["what"] == "nights: Lambdas" and each["basis"] == "measured" for each in at_rest["lines"])


def test_a_night_of_an_earlier_version_is_no_measure(aws: FakeAws) -> None:
    revalidated(aws, None)
    assert shown(aws)["at_rest"]["nights"] == ""


def test_the_control_plane_costs_five_cents_at_most(aws: FakeAws) -> None:
    plane = shown(aws)["control_plane"]
    assert plane["nights"] is None
    assert 0 < plane["usd"] <= 0.05


def test_requests_stand_beside_fargate(aws: FakeAws) -> None:
    both = shown(aws)["requests"]
    assert both["basis"] == "estimated"
    assert both["fargate"]["monthly_usd"] > 20
    assert both["equal_at"] > 1_000_000


def test_rollouts_of_thirty_days_are_added_up_by_action_and_old_ones_have_no_figure(aws: FakeAws) -> None:
    for at, action, usd in (
        ("2026-01-01T10", "deploy", 0.01),
        ("2026-01-01T11", "deploy", 0.02),
        ("2026-01-01T12", "revalidate", 0.005),
        ("2026-01-01T13", "deploy", None),
        ("2026-01-01T14", "secret", None),
    ):
        aws.records.add_history("dev", at, {"action": action, **({"usd": usd} if usd else {})})
    assert shown(aws)["rollouts"] == {
        "days": 30,
        "count": 4,
        "usd": 0.035,
        "by_action": {"deploy": 0.03, "revalidate": 0.005},
        "unrecorded": 1,
    }


def test_without_a_recorded_rollout_the_sum_is_unknown_and_not_zero(aws: FakeAws) -> None:
    assert shown(aws)["rollouts"]["usd"] is None


def test_the_last_rollout_says_whether_it_is_recorded(aws: FakeAws) -> None:
    assert shown(aws)["last_rollout"] is None  # its record has expired
    aws.records.attributes["dev"]["last_deployment"] = revalidated(aws, None)
    assert shown(aws)["last_rollout"]["recorded"] == "not recorded"
    assert shown(aws)["last_rollout"]["usd"] is None


def test_a_region_without_prices_is_named(aws: FakeAws) -> None:
    aws.settings = settings(region="mars-north-1")
    body = shown(aws)
    assert body["region"] == "us-east-1"
    assert "mars-north-1" in body["remarks"][0]


def test_a_deployment_shows_what_it_has_cost_so_far(aws: FakeAws) -> None:
    deployment_id = revalidated(aws, Usage(calls=1, gb_s=100))
    cost = ask(aws, deployments.show, id=deployment_id).body["cost"]
    assert cost["recorded"] == "recorded"
    assert cost["by_phase"]["preflight"] == pytest.approx(0.0013335, rel=1e-3)
    assert cost["usd"] == pytest.approx(sum(each["usd"] for each in cost["lines"]), abs=1e-5)


def test_a_deployment_of_an_earlier_version_shows_no_sum(aws: FakeAws) -> None:
    cost = ask(aws, deployments.show, id=revalidated(aws, None)).body["cost"]
    assert cost["recorded"] == "not recorded"
    assert cost.get("usd") is None


def test_an_environment_that_another_version_recorded_is_priced_with_what_this_one_understands(aws: FakeAws) -> None:
    deployment_id = revalidated(aws, None)
    strange = {"config": {"memory_mb": "huge", "more": 1}, "version": "1", "deployment_id": deployment_id}
    aws.records.attributes["dev"]["live"] = strange
    assert replace(aws.records.environment("dev"), name="dev").live is not None
    assert shown(aws)["at_rest"]["usd"] > 1
