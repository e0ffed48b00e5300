"""Phases 1 to 6 and 12 in another account and another region, each under its role there, with IAM enforced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.config import Config
from chalicelib.engine.phase import Status

from installer import elsewhere, target
from local import emulator, places
from tests.e2e.driving import DEPLOY, ROOT, Driver, good_secret, own_cloud

pytestmark = pytest.mark.long
OTHER_ACCOUNT = "222222222222"


@dataclass(frozen=True)
class There:
    """An environment in a target."""

    environment: str
    aws: target.Target
    config: Config


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with own_cloud("targets") as created:
        yield created


@pytest.fixture(scope="module", params=[("eu", OTHER_ACCOUNT, "eu-west-1"), ("us", "", "us-east-1")], ids=["eu", "us"])
def there(request: pytest.FixtureRequest, driver: Driver) -> There:
    """Another account in another region; another region of the control plane's own account."""
    environment, account, region = request.param
    keys = places.root_of(account or driver.cloud.account, driver.cloud)
    aws = target.embedded(emulator.session(region, keys), driver.cloud.endpoint)
    block = elsewhere.install(ROOT, aws, elsewhere.Wanted(driver.cloud.account))
    secret = json.dumps(good_secret(driver.cloud))
    aws.client("secretsmanager").create_secret(Name=f"proxyctl/{environment}/openai", SecretString=secret)
    return There(environment, aws, Config(target=Target(**block)))


@pytest.fixture(scope="module")
def deployed(driver: Driver, there: There) -> dict[str, Any]:
    return driver.deploy(there.environment, there.config)


def test_every_phase_succeeds_there(deployed: dict[str, Any], there: There) -> None:
    assert {name: ran.status for name, ran in deployed.items()} == dict.fromkeys(DEPLOY, Status.SUCCEEDED)
    assert deployed["preflight"].evidence["account"] == there.aws.account
    assert deployed["preflight"].evidence["region"] == there.aws.region
    assert len(deployed["configure_monitoring"].evidence["heard"]) == 8
    assert deployed["clean_up"].evidence["orphans"] == []


def test_the_candidate_runs_the_bytes_that_home_has(deployed: dict[str, Any], driver: Driver, there: There) -> None:
    packaged = deployed["package_artifact"].evidence
    assert packaged["replica"] == there.aws.bucket
    at_home = driver.operator("s3").get_object(Bucket=driver.bucket, Key=packaged["key"])["Body"].read()
    copied = there.aws.client("s3").get_object(Bucket=there.aws.bucket, Key=packaged["key"])["Body"].read()
    assert at_home == copied
    function = there.aws.client("lambda").get_function_configuration(FunctionName=f"proxyctl-{there.environment}-proxy")
    assert function["CodeSha256"] == packaged["code_sha256"]
    assert function["FunctionArn"].split(":")[3:5] == [there.aws.region, there.aws.account]


def test_nothing_of_it_is_at_home(deployed: dict[str, Any], driver: Driver, there: There) -> None:
    stacks = {stack["StackName"] for stack in driver.operator("cloudformation").describe_stacks()["Stacks"]}
    assert f"proxyctl-env-{there.environment}" not in stacks
    assert not driver.operator("lambda").list_functions()["Functions"]
    assert not driver.operator("cloudwatch").describe_alarms()["MetricAlarms"]


def test_a_second_deploy_finds_nothing_to_do(deployed: dict[str, Any], driver: Driver, there: There) -> None:
    again = driver.deploy(there.environment, there.config)
    assert {name for name, ran in again.items() if ran.status is Status.SKIPPED} == set(DEPLOY[1:-1])


def test_a_copy_that_someone_changed_is_written_again(deployed: dict[str, Any], driver: Driver, there: There) -> None:
    key = deployed["package_artifact"].evidence["key"]
    there.aws.client("s3").put_object(Bucket=there.aws.bucket, Key=key, Body=b"not the package")
    again = driver.phase("package_artifact", there.environment, there.config)
    assert again.status is Status.SUCCEEDED
    at_home = driver.operator("s3").get_object(Bucket=driver.bucket, Key=key)["Body"].read()
    assert there.aws.client("s3").get_object(Bucket=there.aws.bucket, Key=key)["Body"].read() == at_home
