"""A control plane with a boundary, a key, a bucket and tags of the customer's: installed, rolled, upgraded, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ctl.client import Client
from installer import deploy, target
from installer.choices import kms_key
from installer.choices.choose import Wanted
from local import cloud, emulator, places, strict
from tests.e2e.conftest import ROOT
from tests.e2e.rolling import Embedded, roll

pytestmark = pytest.mark.long  # a control plane of its own, and an environment in it

LOAD: dict[str, Any] = {"load": {"rps": 50, "duration_s": 3, "cold_starts": 0}}
# A region of another partition: the emulator has ARNs of `aws` only, and everything else of the region.
REGION, BUCKET, TAGS = "cn-north-1", "the-teams-bucket", {"team": "ml", "cost center": "a=b"}
# What an organisation allows: everything but what its own tools do.
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "organizations:*", "Resource": "*"},
    ],
}


@dataclass(frozen=True)
class Installed:
    embedded: Embedded
    boundary: str
    key: str


@pytest.fixture(scope="module")
def own(site: cloud.Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[cloud.Site]:
    """A cloud whose calls nobody records: the judge of recorded calls knows the policies of the session's region."""
    created = cloud.Site.of(site.root, tmp_path_factory.mktemp("cloud"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(emulator.CALLS_FILE, raising=False)
        yield created
    cloud.stop(created.folder)


@pytest.fixture(scope="module")
def installed(own: cloud.Site) -> Installed:
    """In another region than the cloud's own."""
    running = cloud.start(own, switches=strict.EVERYDAY)[0]
    places.add(own.folder, running.account, REGION)
    aws = target.embedded(emulator.session(REGION, running.operator), running.endpoint)
    boundary = aws.client("iam").create_policy(PolicyName="org", PolicyDocument=json.dumps(ALLOWED))["Policy"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": kms_key.needs(aws)}
    key = aws.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    _make_bucket(aws, key)
    wanted = Wanted(boundary, key, BUCKET, tuple(f"{name}={value}" for name, value in TAGS.items()))
    outputs = deploy.up(ROOT, aws, running.faults_url, wanted=wanted)
    url = deploy.api_url(aws, outputs)
    there = target.embedded(aws.session, running.endpoint)
    return Installed(Embedded(running, there, outputs, url, Client(url, aws.session, REGION)), boundary, key)


def _make_bucket(aws: target.Target, key: str) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=dict.fromkeys(names, True))
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=rules)
    s3.put_object(Bucket=BUCKET, Key="theirs/data.csv", Body=b"1,2")


def _tags(entries: list[dict[str, str]]) -> dict[str, str]:
    return {entry["Key"]: entry["Value"] for entry in entries}


def _roles(installed: Installed) -> dict[str, dict[str, Any]]:
    """The control plane's roles, and those of environments, of this region."""
    iam, formation = installed.embedded.boto("iam"), installed.embedded.boto("cloudformation")
    stacks = [stack["StackName"] for stack in formation.describe_stacks()["Stacks"]]
    names = [
        item["PhysicalResourceId"]
        for stack in stacks
        for item in formation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
        if item["ResourceType"] == "AWS::IAM::Role"
    ]
    return {name: iam.get_role(RoleName=name)["Role"] for name in names}


def test_a_rollout_passes_under_all_of_it(installed: Installed) -> None:
    embedded = installed.embedded
    embedded.client.put_secret("shop", embedded.secret())
    deployment = roll(embedded, "shop", options=LOAD)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert roll(embedded, "shop", options=LOAD)["status"] == "SUCCEEDED"


def test_every_role_carries_the_boundary_and_the_proxys_the_guard(installed: Installed) -> None:
    roles = _roles(installed)
    assert len(roles) > 30
    for name, role in roles.items():
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == installed.boundary, name
    attached = installed.embedded.boto("iam").list_attached_role_policies(RoleName=f"proxyctl-shop-proxy-{REGION}")
    assert [each["PolicyName"] for each in attached["AttachedPolicies"]] == [f"proxyctl-environment-guard-{REGION}"]


def test_what_is_kept_is_encrypted_with_the_key(installed: Installed) -> None:
    boto, key = installed.embedded.boto, installed.key
    groups = boto("logs").describe_log_groups()["logGroups"]
    keys = {group["logGroupName"]: group.get("kmsKeyId") for group in groups if "proxyctl" in group["logGroupName"]}
    assert len(keys) >= 3
    assert set(keys.values()) == {key}
    assert boto("secretsmanager").describe_secret(SecretId="proxyctl/shop/openai")["KmsKeyId"] == key
    (topic,) = [item["TopicArn"] for item in boto("sns").list_topics()["Topics"] if "shop" in item["TopicArn"]]
    assert boto("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["KmsMasterKeyId"] == key


def test_the_tags_are_on_the_stacks_and_beside_them(installed: Installed) -> None:
    boto = installed.embedded.boto
    for stack in boto("cloudformation").describe_stacks()["Stacks"]:
        assert TAGS.items() <= _tags(stack["Tags"]).items(), stack["StackName"]
    secret = boto("secretsmanager").describe_secret(SecretId="proxyctl/shop/openai")
    assert TAGS.items() <= _tags(secret["Tags"]).items()
    for topic in boto("sns").list_topics()["Topics"]:
        assert TAGS.items() <= _tags(boto("sns").list_tags_for_resource(ResourceArn=topic["TopicArn"])["Tags"]).items()
    alarms = boto("cloudwatch").describe_alarms(AlarmNamePrefix="proxyctl/shop/")["MetricAlarms"]
    for alarm in alarms:
        tags = boto("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        assert TAGS.items() <= _tags(tags).items()


def test_up_again_without_options_keeps_them_all(installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.up(ROOT, installed.embedded.aws, installed.embedded.cloud.faults_url)
    assert "nothing to change" in capsys.readouterr().err


def test_down_takes_our_objects_and_leaves_bucket_key_and_boundary(installed: Installed) -> None:
    embedded = installed.embedded
    assert roll(embedded, "shop", "cleanup", options={"remove_secret": True})["status"] == "SUCCEEDED"
    deploy.down(embedded.aws, force=False)
    left = embedded.boto("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [item["Key"] for item in left] == ["theirs/data.csv"]
    assert embedded.boto("kms").describe_key(KeyId=installed.key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert embedded.boto("iam").get_policy(PolicyArn=installed.boundary)["Policy"]["AttachmentCount"] == 0
