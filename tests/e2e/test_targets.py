"""Environments in another account and in another region, rolled from one control plane, with IAM enforced between."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from installer import deploy, elsewhere, target
from installer.errors import CannotStart
from local import cloud, emulator, places
from tests.e2e.rolling import Embedded, Rolled, chats, phase, roll
from tests.unit.installer.test_target_template import ROOT

pytestmark = pytest.mark.long
OTHER_ACCOUNT = "222222222222"


@dataclass(frozen=True)
class Elsewhere:
    """A place with a target in it, and the environment that is rolled there."""

    environment: str
    aws: target.Target
    block: dict[str, str]

    def config(self, **other: Any) -> dict[str, Any]:
        return {"target": self.block, **other}

    def names(self, service: str, operation: str, key: str, field: str) -> set[str]:
        """The names of the environment's resources of one kind in this place."""
        pages = self.aws.client(service).get_paginator(operation).paginate()
        return {item[field] for page in pages for item in page[key] if f"-{self.environment}-" in item[field]}


def _prepare(site: cloud.Site, embedded: Embedded, environment: str, account: str, region: str) -> Elsewhere:
    running = embedded.cloud
    places.add(site.folder, account, region)
    session = emulator.session(region, places.root_of(account, running))
    aws = target.embedded(session, running.endpoint)
    return Elsewhere(environment, aws, elsewhere.install(ROOT, aws, elsewhere.Wanted(running.account)))


@pytest.fixture(scope="module")
def account(site: cloud.Site, embedded: Embedded) -> Elsewhere:
    """Another account, in another region."""
    return _prepare(site, embedded, "eu", OTHER_ACCOUNT, "eu-west-1")


@pytest.fixture(scope="module")
def region(site: cloud.Site, embedded: Embedded) -> Elsewhere:
    """Another region of the control plane's own account."""
    return _prepare(site, embedded, "us", embedded.cloud.account, "us-east-1")


@pytest.fixture(scope="module", params=["account", "region"])
def place(request: pytest.FixtureRequest, embedded: Embedded) -> Elsewhere:
    chosen: Elsewhere = request.getfixturevalue(request.param)
    embedded.client.put_secret(chosen.environment, embedded.secret(), {"target": json.dumps(chosen.block)})
    return chosen


@pytest.fixture(scope="module")
def rolled(place: Elsewhere, embedded: Embedded) -> Rolled:
    return Rolled(embedded, place.environment, roll(embedded, place.environment, config=place.config()))


def test_it_is_rolled_through_all_phases_and_serves_users(rolled: Rolled) -> None:
    ended = [(row["name"], row["status"], row.get("error")) for row in rolled.deployment["phases"]]
    assert rolled.deployment["status"] == "SUCCEEDED", f"{rolled.deployment.get('error')} {ended}"
    assert chats(rolled)


def test_everything_is_there_and_nothing_is_at_home(rolled: Rolled, place: Elsewhere, embedded: Embedded) -> None:
    function = f"proxyctl-{place.environment}-proxy"
    arn = place.aws.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    assert arn.split(":")[3:5] == [place.aws.region, place.aws.account]
    home = Elsewhere(place.environment, embedded.aws, {})
    assert not home.names("lambda", "list_functions", "Functions", "FunctionName")
    assert not home.names("cloudformation", "describe_stacks", "Stacks", "StackName")
    secrets = embedded.boto("secretsmanager").list_secrets()["SecretList"]
    assert f"proxyctl/{place.environment}/openai" not in {secret["Name"] for secret in secrets}


def test_the_package_is_there_with_the_same_digest(rolled: Rolled, place: Elsewhere, embedded: Embedded) -> None:
    evidence = phase(rolled.deployment, "package_artifact")["evidence"]
    assert evidence["replica"] == place.aws.bucket
    copies = [
        aws.client("s3").get_object(Bucket=aws.bucket, Key=evidence["key"])["Body"].read()
        for aws in (place.aws, embedded.aws)
    ]
    assert copies[0] == copies[1]


def test_a_second_deploy_changes_nothing(rolled: Rolled, place: Elsewhere, embedded: Embedded) -> None:
    again = roll(embedded, place.environment)
    assert again["status"] == "SUCCEEDED", again
    assert {phase(again, name)["status"] for name in ("deploy_stack", "release_code", "load_test")} == {"SKIPPED"}


def test_it_cannot_move(rolled: Rolled, place: Elsewhere, embedded: Embedded) -> None:
    status, body = embedded.call("POST", "/deployments", {"environment": place.environment, "config": {"target": None}})
    assert (status, body["error"]["code"]) == (409, "TargetFixed")


def test_a_target_with_environments_is_not_removed(rolled: Rolled, place: Elsewhere) -> None:
    with pytest.raises(CannotStart, match=f"environments exist in {place.aws.account}, {place.aws.region}"):
        elsewhere.remove(place.aws, force=False)


def test_no_control_plane_is_installed_beside_a_target(place: Elsewhere) -> None:
    with pytest.raises(CannotStart, match=f"{place.aws.account}, {place.aws.region} is a target of the control plane"):
        deploy.up(ROOT, place.aws)


def test_the_control_plane_is_not_removed_under_it(rolled: Rolled, place: Elsewhere, embedded: Embedded) -> None:
    where = f"{place.environment} (account {place.aws.account}, region {place.aws.region})"
    with pytest.raises(CannotStart, match=re.escape(where)):
        deploy.down(embedded.aws, force=False)


def test_a_wrong_external_id_is_refused_with_the_way_out(account: Elsewhere, embedded: Embedded) -> None:
    block = account.block | {"external_id": "not-that-one"}
    failed = roll(embedded, "wrong", config={"target": block})
    assert failed["status"] == "FAILED"
    error = failed["error"]
    assert error["code"] == "TargetRefused"
    assert all(part in error["message"] for part in (block["role_arn"], OTHER_ACCOUNT, "eu-west-1"))
    assert "bootstrap.py target" in error["remedy"]
    assert roll(embedded, "wrong", "cleanup")["status"] == "SUCCEEDED"


def test_a_clean_up_leaves_nothing_there(rolled: Rolled, place: Elsewhere, embedded: Embedded) -> None:
    """Last: it removes the environment of the tests before."""
    removed = roll(embedded, place.environment, "cleanup", options={"remove_secret": True, "secret_recovery_days": 0})
    assert removed["status"] == "SUCCEEDED", removed
    assert not place.names("lambda", "list_functions", "Functions", "FunctionName")
    objects = place.aws.client("s3").list_objects_v2(Bucket=place.aws.bucket, Prefix="artifacts/")
    assert not objects.get("Contents")
    assert not place.aws.client("secretsmanager").list_secrets()["SecretList"]
    elsewhere.remove(place.aws, force=False)
