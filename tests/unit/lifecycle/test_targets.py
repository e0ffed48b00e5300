"""Facts about an environment's target: it is on record from its first deployment on, and fixed while it exists."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.api import secret_versions, secrets
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.model import Applied, Deployment, Environment, Lock, Release
from chalicelib.domain.names import Names
from chalicelib.engine.lost_records import recover
from chalicelib.lifecycle.publish_events import publish
from chalicelib.lifecycle.start import begin

from tests.fakes import FakeAws
from tests.fakes.calls import ask, error
from tests.fakes.requests import NOW
from tests.unit.domain.test_targets import BLOCK
from tests.unit.lifecycle.test_publish_events import Bus, stream

THERE = Target(**BLOCK)
ELSEWHERE = BLOCK | {"role_arn": "arn:aws:iam::333333333333:role/proxyctl-target-eu-west-1"}
SECRET = Names("dev").secret
DOCUMENT = {"schema": 1, "api_key": "sk-proj-abcdefghijklmnop0123", "models": {}}


def start(aws: FakeAws, **body: Any) -> Deployment:
    return begin({"environment": "dev", **body}, aws.as_aws(), lambda: NOW, caller="me", key=None)


def existing(**other: Any) -> FakeAws:
    """An environment that serves users in the target."""
    aws = FakeAws()
    live = {"version": "3", "deployment_id": "d-1", "at": "2026", "config": {"target": BLOCK, "memory_mb": 256}}
    aws.records.attributes["dev"] = {
        "status": "LIVE",
        "live": live,
        "last_good": live,
        "last_deployment": "d-1",
        "target": BLOCK,
        **other,
    }
    return aws


def test_the_first_deployment_puts_the_target_on_record() -> None:
    aws = FakeAws()
    deployment = start(aws, config={"target": BLOCK})
    assert deployment.config.target == aws.records.environment("dev").target == THERE


def test_later_deployments_need_not_name_it() -> None:
    aws = existing()
    assert start(aws, config={"memory_mb": 512}).config.target == THERE


@pytest.mark.parametrize("action", ["cleanup", "rollback", "revalidate"])
def test_every_action_goes_where_the_environment_is(action: str) -> None:
    assert start(existing(), action=action).config.target == THERE


def test_a_clean_up_after_a_failed_first_deploy_goes_there_too() -> None:
    """It has no release whose configuration could say so."""
    aws = existing(status="NEVER_LIVE", live=None, last_good=None, applied_prepare_secret={"fingerprint": "f"})
    assert start(aws, action="cleanup").config.target == THERE


@pytest.mark.parametrize("config", [{"target": ELSEWHERE}, {"target": None}])
def test_it_cannot_move_while_it_exists(config: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="account 222222222222, region eu-west-1") as caught:
        start(existing(), config=config)
    assert (caught.value.code, caught.value.field) == ("TargetFixed", "config.target")
    assert "cleanup" in str(caught.value.remedy)


def test_replacing_the_configuration_without_a_target_would_move_it_home() -> None:
    with pytest.raises(Conflict, match="cannot move"):
        start(existing(), config={"memory_mb": 512}, replace=True)


def test_an_environment_at_home_cannot_move_away() -> None:
    with pytest.raises(Conflict, match="the control plane's own account and region"):
        start(existing(target=None), config={"target": BLOCK})


def test_the_external_id_may_change_in_place() -> None:
    aws = existing()
    renewed = BLOCK | {"external_id": "another"}
    assert start(aws, config={"target": renewed}).config.target == Target(**renewed)
    assert aws.records.environment("dev").target == Target(**renewed)


@pytest.mark.parametrize("status", ["REMOVED", "NEW"])
def test_where_nothing_exists_it_may_go_anywhere(status: str) -> None:
    aws = existing(status=status, live=None, last_good=None)
    assert start(aws, config={"target": ELSEWHERE}).config.target == Target(**ELSEWHERE)


def test_a_first_deploy_that_reached_nothing_binds_to_nothing() -> None:
    """A mistyped account would otherwise be a dead end: neither a clean-up nor another target could succeed."""
    aws = existing(status="NEVER_LIVE", live=None, last_good=None)
    assert start(aws, config={"target": ELSEWHERE}).config.target == Target(**ELSEWHERE)


def test_a_target_of_another_partition_cannot_be_reached() -> None:
    block = {"role_arn": "arn:aws-cn:iam::222222222222:role/proxyctl-target-cn-north-1", "external_id": "id"}
    with pytest.raises(BadRequest, match="partition aws-cn") as caught:
        start(FakeAws(), config={"target": block | {"region": "cn-north-1"}})
    assert caught.value.field == "config.target.role_arn"


def test_the_control_planes_own_place_is_no_target() -> None:
    role = "arn:aws:iam::123456789012:role/proxyctl-target-eu-central-1"
    with pytest.raises(BadRequest, match="own account 123456789012, region eu-central-1"):
        start(FakeAws(), config={"target": {"role_arn": role, "external_id": "id", "region": "eu-central-1"}})


def test_another_region_of_the_same_account_is_one() -> None:
    role = "arn:aws:iam::123456789012:role/proxyctl-target-eu-west-1"
    block = {"role_arn": role, "external_id": "id", "region": "eu-west-1"}
    assert start(FakeAws(), config={"target": block}).config.target == Target(role, "id", "eu-west-1")


def test_a_deployment_that_waited_goes_where_the_environment_is_by_then() -> None:
    aws = existing(lock={"deployment_id": "d-1", "execution_arn": "arn", "lease_until": NOW.timestamp() + 600})
    aws.records.started["d-1"] = replace(start(FakeAws()), id="d-1")
    aws.executions.statuses["arn"] = "RUNNING"
    queued = start(aws, config={"memory_mb": 512}, options={"if_busy": "wait"})
    assert queued.waiting
    assert queued.config.target == THERE


def test_a_lost_record_gets_its_target_from_the_newest_deployment() -> None:
    aws = FakeAws()
    start(aws, config={"target": BLOCK})
    aws.records.attributes.clear()
    assert recover(Environment("dev"), aws.as_aws()).target == THERE


def test_an_environment_without_a_record_of_a_target_is_at_home() -> None:
    aws = existing(target=None)
    assert aws.as_aws().at(aws.records.environment("dev").target, "api").settings == aws.settings


@pytest.mark.parametrize(
    ("environment", "exists"),
    [
        (Environment("dev"), False),
        (Environment("dev", "REMOVED"), False),
        (Environment("dev", "NEVER_LIVE"), False),
        (Environment("dev", "NEVER_LIVE", applied={"deploy_stack": Applied("f")}), True),
        (Environment("dev", "NEVER_LIVE", recovered_from="d-1"), True),
        (Environment("dev", "NEW", lock=Lock("d-1")), True),
        (Environment("dev", "PARTLY_REMOVED"), True),
        (Environment("dev", "LIVE", live=Release("1")), True),
    ],
)
def test_when_an_environment_may_have_resources(environment: Environment, exists: bool) -> None:
    assert environment.has_resources is exists


def test_the_secret_of_a_new_environment_goes_where_the_request_says() -> None:
    aws = FakeAws()
    answer = ask(aws, secrets.put, DOCUMENT, name="dev", query={"target": json.dumps(BLOCK)})
    assert answer.status == 200
    assert aws.secrets.find(SECRET) is None
    assert aws.targets[THERE.place].secrets.find(SECRET) is not None
    assert aws.acted_as[-1] == (THERE, "api")


def test_the_secret_of_an_existing_environment_is_where_that_is() -> None:
    aws = existing(status="NEVER_LIVE", live=None, last_good=None)
    ask(aws, secrets.put, DOCUMENT, name="dev")
    assert ask(aws, secret_versions.show, name="dev").body["fields"]
    assert ask(aws, secret_versions.history, name="dev").body["versions"]
    assert aws.secrets.find(SECRET) is None


@pytest.mark.parametrize("route", [secrets.put, secret_versions.show])
@pytest.mark.parametrize(
    ("text", "status", "field"),
    [
        ("x", 400, "target"),
        ("[]", 400, "target"),
        ("[" * 100_000, 400, "target"),
        ('{"region": NaN}', 400, "target"),
        ('{"region": "\\ud800"}', 400, "target"),
        ('{"region": "\ud800"}', 400, "target"),
        ('{"region": "eu-west-1", ' + json.dumps(BLOCK)[1:], 400, "target.region"),
        (json.dumps({"region": "eu-west-1"}), 400, "target.role_arn"),
        (json.dumps(BLOCK | {"external_id": "a b"}), 400, "config.target.external_id"),
        (json.dumps(ELSEWHERE), 409, "config.target"),
    ],
)
def test_a_wrong_place_for_a_secret_is_refused(route: Any, text: str, status: int, field: str) -> None:
    answer = ask(existing(), route, DOCUMENT, name="dev", query={"target": text})
    assert (answer.status, error(answer)["field"]) == (status, field)


def test_the_key_of_a_webhook_is_read_where_the_environment_is() -> None:
    aws = FakeAws()
    aws.events = Bus()  # type: ignore[attr-defined]
    config = {"target": BLOCK, "webhook": {"url": "https://dev.example.com/hook"}}
    aws.records.started["d-dev"] = replace(start(aws, config=config), id="d-dev")
    aws.records.add_event("d-dev", "t1", "preflight.started", {})
    aws.at(THERE, "tell")
    aws.targets[THERE.place].secrets.add(Names("dev").webhook_secret, "signing-key")
    publish(stream("dev"), aws.as_aws(), lambda: NOW)
    assert [sent.url for sent in aws.endpoint.sent] == ["https://dev.example.com/hook"]
    assert aws.acted_as[-1] == (THERE, "tell")
