"""Artifacts, gateway, identity and tagging against moto, or botocore's Stubber where moto has no answer."""

from __future__ import annotations

import hashlib

import boto3
import pytest
from botocore.stub import Stubber
from chalicelib.adapters.artifacts import S3Artifacts
from chalicelib.adapters.gateway import RestGateway
from chalicelib.adapters.identity import IamIdentity
from chalicelib.adapters.session import client
from chalicelib.adapters.tagging import TaggedResources
from chalicelib.domain.errors import NotFound

from tests.functional.adapters.conftest import ACCOUNT, REGION, TAGS

BUCKET = "proxyctl"


def artifacts() -> S3Artifacts:
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return S3Artifacts(BUCKET)


def test_an_objects_digest_is_s3s_own_or_over_its_bytes() -> None:
    store = artifacts()
    digest = store.put("a", b"content", content_type="application/zip", tags=TAGS)
    boto3.client("s3").put_object(Bucket=BUCKET, Key="b", Body=b"put by someone else")
    assert store.sha256("a") == digest == hashlib.sha256(b"content").hexdigest()
    assert store.sha256("b") == hashlib.sha256(b"put by someone else").hexdigest()


def test_objects_are_found_by_prefix_and_deleted_in_any_number() -> None:
    store = artifacts()
    for index in range(3):
        store.put(f"x/{index}", b"", content_type="text/plain")
    store.put("y", b"", content_type="text/plain")
    assert list(store.keys("x/")) == ["x/0", "x/1", "x/2"]
    store.delete(store.keys("x/"))
    store.delete([])
    assert list(store.keys("")) == ["y"]


def test_a_missing_object_is_told_apart() -> None:
    store = artifacts()
    assert not store.exists("nothing")
    with pytest.raises(NotFound):
        store.sha256("nothing")


def test_an_object_without_tags_is_sent_without_the_header_for_them() -> None:
    """S3 asks for s3:PutObjectTagging as soon as the header is there, even when it is empty."""
    store = artifacts()
    headers: list[bool] = []
    client("s3").meta.events.register(
        "before-sign.s3.PutObject", lambda request, **_: headers.append("x-amz-tagging" in request.headers)
    )
    store.put("a", b"", content_type="text/plain")
    store.put("b", b"", content_type="text/plain", tags={})
    store.put("c", b"", content_type="text/plain", tags=TAGS)
    assert headers == [False, False, True]


def test_apis_are_found_by_exactly_their_name() -> None:
    items = [{"id": "a1", "name": "proxyctl-dev", "tags": TAGS}, {"id": "a2", "name": "proxyctl-dev-2"}]
    with Stubber(client("apigateway")) as stub:
        stub.add_response("get_rest_apis", {"items": items[1:], "position": "p"}, {})
        stub.add_response("get_rest_apis", {"items": items[:1]}, {"position": "p"})
        assert RestGateway().apis("proxyctl-dev") == {"a1": TAGS}


def test_an_account_without_a_log_role_has_an_empty_one() -> None:
    with Stubber(client("apigateway")) as stub:
        stub.add_response("get_account", {"throttleSettings": {"burstLimit": 7, "rateLimit": 3.5}}, {})
        answer = RestGateway().account()
    assert (answer.log_role, answer.rate_per_s, answer.burst) == ("", 3.5, 7)


@pytest.mark.parametrize(("destination", "kept"), [("arn:aws:logs:x", True), (None, False)])
def test_a_stage_keeps_an_access_log_when_it_has_a_destination(destination: str | None, kept: bool) -> None:
    settings = {"accessLogSettings": {"destinationArn": destination}} if destination else {}
    with Stubber(client("apigateway")) as stub:
        stub.add_response("get_stage", settings, {"restApiId": "a", "stageName": "api"})
        assert RestGateway().access_logs("a", "api") is kept


def test_a_role_is_found_or_none(role: str) -> None:
    assert IamIdentity().role_arn("proxy") == role
    assert IamIdentity().role_arn("nobody") is None
    assert IamIdentity().caller().account == ACCOUNT


def test_every_verdict_of_the_simulator_is_told_with_its_resource() -> None:
    answer = {
        "EvaluationResults": [
            {"EvalActionName": "iam:PassRole", "EvalResourceName": "arn:x", "EvalDecision": "allowed"},
            {"EvalActionName": "iam:GetRole", "EvalResourceName": "arn:x", "EvalDecision": "explicitDeny"},
        ]
    }
    requested = {
        "PolicySourceArn": "arn:aws:iam::123456789012:role/r",
        "ActionNames": ["iam:PassRole", "iam:GetRole"],
        "ResourceArns": ["arn:x"],
        "MaxItems": 1_000,
        "ContextEntries": [
            {
                "ContextKeyName": "iam:PassedToService",
                "ContextKeyValues": ["lambda.amazonaws.com"],
                "ContextKeyType": "string",
            }
        ],
    }
    with Stubber(client("iam")) as stub:
        stub.add_response("simulate_principal_policy", answer, requested)
        verdicts = IamIdentity().simulate(
            requested["PolicySourceArn"],  # type: ignore[arg-type]
            ["iam:PassRole", "iam:GetRole"],
            ["arn:x"],
            {"iam:PassedToService": "lambda.amazonaws.com"},
        )
    assert [(item.action, item.allowed) for item in verdicts] == [("iam:PassRole", True), ("iam:GetRole", False)]


def test_of_several_resources_each_has_its_own_decision() -> None:
    specific = [
        {"EvalResourceName": "arn:a", "EvalResourceDecision": "allowed"},
        {"EvalResourceName": "arn:b", "EvalResourceDecision": "implicitDeny"},
    ]
    result = {"EvalActionName": "s3:GetObject", "EvalDecision": "implicitDeny", "ResourceSpecificResults": specific}
    with Stubber(client("iam")) as stub:
        stub.add_response("simulate_principal_policy", {"EvaluationResults": [result]}, None)
        decisions = IamIdentity().simulate("arn:aws:iam::123456789012:role/r", ["s3:GetObject"], ["arn:a", "arn:b"])
    assert [(each.resource, each.decision) for each in decisions] == [("arn:a", "allowed"), ("arn:b", "implicitDeny")]


def test_only_what_carries_all_tags_is_found() -> None:
    sqs = boto3.client("sqs")
    sqs.create_queue(QueueName="ours", tags=TAGS)
    sqs.create_queue(QueueName="theirs", tags={**TAGS, "proxyctl:environment": "prod"})
    (arn,) = TaggedResources().find(TAGS)
    assert arn.endswith(":ours")
