"""The API Gateway adapter: stages that are read, made again and put back; who may call an alias."""

from __future__ import annotations

import boto3
import pytest
from chalicelib.adapters.functions import LambdaFunctions
from chalicelib.adapters.gateway import RestGateway
from chalicelib.domain.aws.functions import Alias, Permission
from chalicelib.domain.aws.gateway import AccessLog, StageState

from tests.functional.adapters.conftest import REGION, TAGS, zipped

LOG = AccessLog(f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/apigateway/dev", '{"id":"$context.requestId"}')


@pytest.fixture
def api() -> str:
    gateway = boto3.client("apigateway")
    api_id: str = gateway.create_rest_api(name="proxyctl-dev")["id"]
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    gateway.put_method(restApiId=api_id, resourceId=root, httpMethod="ANY", authorizationType="NONE")
    gateway.put_integration(restApiId=api_id, resourceId=root, httpMethod="ANY", type="MOCK")
    return api_id


@pytest.fixture
def snapshots(api: str) -> list[str]:
    gateway = boto3.client("apigateway")
    return [gateway.create_deployment(restApiId=api)["id"] for _ in range(2)]


def test_a_stage_is_made_with_snapshot_throttle_and_access_log(api: str, snapshots: list[str]) -> None:
    gateway, wanted = RestGateway(), StageState(snapshots[0], 80.5, 161)
    assert gateway.stage(api, "api") is None
    gateway.create_stage(api, "api", wanted, LOG, TAGS)
    assert gateway.stage(api, "api") == wanted
    stage = boto3.client("apigateway").get_stage(restApiId=api, stageName="api")
    assert stage["tags"] == TAGS
    settings = stage["methodSettings"]["*/*"]
    assert (settings["metricsEnabled"], settings["dataTraceEnabled"]) == (True, False)


def test_a_made_stage_writes_its_access_log(api: str, snapshots: list[str]) -> None:
    gateway = RestGateway()
    gateway.create_stage(api, "api", StageState(snapshots[0], 80, 160), LOG, TAGS)
    stage = boto3.client("apigateway").get_stage(restApiId=api, stageName="api")
    assert stage["accessLogSettings"] == {"destinationArn": LOG.destination, "format": LOG.format}


def test_a_stage_is_put_back(api: str, snapshots: list[str]) -> None:
    gateway, wanted = RestGateway(), StageState(snapshots[1], 20, 40)
    gateway.create_stage(api, "api", StageState(snapshots[0], 80, 160), None, TAGS)
    gateway.set_stage(api, "api", wanted)
    assert gateway.stage(api, "api") == wanted


def test_an_api_that_is_gone_has_no_stage(api: str) -> None:
    gateway = RestGateway()
    assert gateway.exists(api)
    boto3.client("apigateway").delete_rest_api(restApiId=api)
    assert not gateway.exists(api)
    assert gateway.stage(api, "api") is None


def test_an_alias_may_be_called_once_it_is_permitted_and_twice_changes_nothing(role: str) -> None:
    client, functions = boto3.client("lambda"), LambdaFunctions()
    client.create_function(
        FunctionName="f", Runtime="python3.11", Role=role, Handler="h", Code={"ZipFile": zipped("x")}, Publish=True
    )
    functions.create_alias("f", Alias("live", "1"))
    wanted = Permission(
        "stack-Live-1", "apigateway.amazonaws.com", f"arn:aws:execute-api:{REGION}:123456789012:a1/api/*/*"
    )
    assert functions.permissions("f", "live") == ()
    functions.permit("f", "live", wanted)
    functions.permit("f", "live", wanted)
    assert list(functions.permissions("f", "live")) == [wanted]
