"""What is wrong with credentials, region or endpoint is named in one line before anything is started."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound

from installer import target
from installer.errors import CannotStart
from installer.target import Target

VARIABLES = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}


@pytest.fixture(autouse=True)
def _shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def refusal() -> str:
    with pytest.raises(CannotStart) as raised:
        target.find()
    return str(raised.value)


@pytest.mark.parametrize(
    "url", ["x", "http://", "https://", "ftp://a", "http://[", "http://a:99999", "http://a:0", "http://a b", "://"]
)
def test_an_endpoint_that_is_not_a_url_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert "AWS_ENDPOINT_URL is" in refusal()


def test_an_endpoint_that_only_botocore_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://-a-.b")
    assert "Invalid endpoint: http://-a-.b" in refusal()


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (NoCredentialsError(), "no AWS credentials; set AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "AWS does not answer"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "too old"}}, "Op"), "ExpiredToken: too old"),
        (ProfileNotFound(profile="nowhere"), "nowhere"),
    ],
)
def test_each_cause_has_its_remedy(problem: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise problem

    monkeypatch.setattr(target, "_identify", fail)
    assert words in refusal()


def test_a_missing_region_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert "no AWS region" in refusal()


@pytest.mark.parametrize(
    ("partition", "endpoint", "api", "template"),
    [
        (
            "aws",
            "",
            "https://a.execute-api.r.amazonaws.com/api",
            "https://proxyctl-1-r.s3.r.amazonaws.com/controlplane/t",
        ),
        (
            "aws-cn",
            "",
            "https://a.execute-api.r.amazonaws.com.cn/api",
            "https://proxyctl-1-r.s3.r.amazonaws.com.cn/controlplane/t",
        ),
        (
            "aws",
            "http://127.0.0.1:5",
            "http://127.0.0.1:5/_aws/execute-api/a/api",
            "http://127.0.0.1:5/proxyctl-1-r/controlplane/t",
        ),
    ],
)
def test_addresses_follow_partition_and_endpoint(partition: str, endpoint: str, api: str, template: str) -> None:
    aws = Target(boto3.session.Session(), "1", "r", partition, "me", endpoint)
    assert (aws.api_url("a", "api"), aws.object_url("controlplane/t")) == (api, template)
    assert aws.embedded is bool(endpoint)
