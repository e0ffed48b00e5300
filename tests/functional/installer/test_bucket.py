"""The control plane's bucket, against moto: created, recognised, refused, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from installer import bucket, deploy
from installer.errors import CannotStart, CommandFailed
from installer.target import Target

ACCOUNT, REGION = "123456789012", "eu-central-1"


class Policies:
    """Takes bucket policies in moto's place; the last one that was put."""

    last: dict[str, Any]

    def take(self, params: dict[str, Any], **_other: Any) -> tuple[AWSResponse, dict[str, Any]]:
        self.last = json.loads(params["body"])
        return AWSResponse("", 204, {}, None), {}


POLICIES = Policies()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """An account that is moto's."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        session = boto3.session.Session(aws_access_key_id="AK", aws_secret_access_key="SK", region_name=REGION)
        # moto looks at no Condition of a bucket policy: ours would shut out every request.
        session.events.register("before-call.s3.PutBucketPolicy", POLICIES.take)
        yield Target(session, ACCOUNT, REGION, "aws", f"arn:aws:iam::{ACCOUNT}:user/me", "")


def s3(aws: Target) -> Any:
    return aws.client("s3")


def make(aws: Target) -> None:
    place = {"LocationConstraint": REGION}
    s3(aws).create_bucket(Bucket=aws.bucket, CreateBucketConfiguration=place)


def test_it_is_made_in_its_region_encrypted_tagged_and_closed_to_the_public(aws: Target) -> None:
    assert bucket.ensure(aws) is True
    assert s3(aws).get_bucket_location(Bucket=aws.bucket)["LocationConstraint"] == REGION
    closed = s3(aws).get_public_access_block(Bucket=aws.bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    assert bucket.OWNER_TAG in s3(aws).get_bucket_tagging(Bucket=aws.bucket)["TagSet"]


def test_the_second_time_it_is_only_checked(aws: Target) -> None:
    bucket.ensure(aws)
    assert bucket.ensure(aws) is False


def test_what_a_killed_run_left_undone_is_done(aws: Target) -> None:
    """Killed between creating and tagging: empty, no tags, open."""
    make(aws)
    bucket.ensure(aws)
    assert bucket.OWNER_TAG in s3(aws).get_bucket_tagging(Bucket=aws.bucket)["TagSet"]
    assert s3(aws).get_public_access_block(Bucket=aws.bucket)


def test_a_bucket_with_somebodys_objects_is_not_taken_over(aws: Target) -> None:
    make(aws)
    s3(aws).put_object(Bucket=aws.bucket, Key="holiday.jpg", Body=b"x")
    with pytest.raises(CannotStart, match=f"bucket {aws.bucket} exists but lacks the tag"):
        bucket.ensure(aws)


def test_a_bucket_with_somebodys_tags_is_not_taken_over(aws: Target) -> None:
    make(aws)
    s3(aws).put_bucket_tagging(Bucket=aws.bucket, Tagging={"TagSet": [{"Key": "team", "Value": "other"}]})
    with pytest.raises(CannotStart, match="lacks the tag"):
        bucket.ensure(aws)


def test_the_same_content_is_uploaded_once(aws: Target) -> None:
    bucket.ensure(aws)
    assert [bucket.upload(aws, "bundles/1.zip", b"content") for _ in range(2)] == [True, False]
    assert s3(aws).get_object(Bucket=aws.bucket, Key="bundles/1.zip")["Body"].read() == b"content"


def test_a_tree_that_another_machine_has_uploaded_is_not_uploaded_again(aws: Target) -> None:
    """Its zip has other bytes and another size there; the key names the tree inside."""
    bucket.ensure(aws)
    s3(aws).put_object(Bucket=aws.bucket, Key="bundles/1.zip", Body=b"compressed otherwise")
    assert bucket.upload(aws, "bundles/1.zip", b"compressed here") is False
    assert s3(aws).get_object(Bucket=aws.bucket, Key="bundles/1.zip")["Body"].read() == b"compressed otherwise"


def test_it_is_removed_with_all_that_is_ours_and_removing_again_is_fine(aws: Target) -> None:
    bucket.ensure(aws)
    for prefix in bucket.PREFIXES:
        bucket.upload(aws, f"{prefix}one", b"1")
    assert f"{len(bucket.PREFIXES)} objects: removed" in bucket.remove(aws)
    assert bucket.remove(aws) == "bucket: there was none"


def test_more_objects_than_one_call_deletes_are_removed(aws: Target) -> None:
    bucket.ensure(aws)
    client = s3(aws)
    for number in range(1_001):
        client.put_object(Bucket=aws.bucket, Key=f"nightly/{number}", Body=b"")
    assert "1001 objects: removed" in bucket.remove(aws)


def test_foreign_objects_stay_and_are_named(aws: Target) -> None:
    bucket.ensure(aws)
    bucket.upload(aws, "bundles/one", b"1")
    s3(aws).put_object(Bucket=aws.bucket, Key="holiday.jpg", Body=b"x")
    with pytest.raises(CommandFailed, match=r"holiday\.jpg"):
        bucket.remove(aws)
    keys = [item["Key"] for item in s3(aws).list_objects_v2(Bucket=aws.bucket)["Contents"]]
    assert keys == ["holiday.jpg"]


def test_a_bucket_that_is_not_ours_is_never_emptied(aws: Target) -> None:
    make(aws)
    s3(aws).put_object(Bucket=aws.bucket, Key="bundles/one", Body=b"x")
    with pytest.raises(CommandFailed, match="left alone"):
        bucket.remove(aws)
    assert s3(aws).list_objects_v2(Bucket=aws.bucket)["KeyCount"] == 1


def test_requests_without_tls_are_refused_and_load_figures_expire(aws: Target) -> None:
    bucket.ensure(aws)
    (statement,) = POLICIES.last["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{aws.bucket}", f"arn:aws:s3:::{aws.bucket}/*"]
    rules = s3(aws).get_bucket_lifecycle_configuration(Bucket=aws.bucket)["Rules"]
    assert {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules} == {
        "load/": 365,
        "nightly/": 30,
        "reports/": 400,
        "controlplane/upgrades/": 400,
    }


def test_the_secrets_that_down_leaves_are_named(aws: Target) -> None:
    manager = aws.client("secretsmanager")
    manager.create_secret(Name="proxyctl/dev/openai", SecretString="{}")
    manager.create_secret(Name="somebody/else", SecretString="{}")
    (line,) = deploy.remaining_secrets(aws)
    assert line.startswith("secret proxyctl/dev/openai stays")
    assert line.endswith("aws secretsmanager delete-secret --secret-id proxyctl/dev/openai")
