"""Everything that goes to CloudFormation, as it reads in each partition: ARNs, key conditions, addresses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from chalicelib.domain.names import Names
from chalicelib.engine import policies
from chalicelib.phases.write_handoff.links import console_links
from chalicelib.stack.template import as_installed

from installer import bucket
from installer.choices import kms_key
from installer.packaging import target_template
from installer.target import Target
from proxy.secret.store import _endpoint
from tests.fakes import settings

ROOT = Path(__file__).resolve().parents[4]
PLACES = [
    ("aws", "eu-central-1", "amazonaws.com", "console.aws.amazon.com"),
    ("aws-cn", "cn-north-1", "amazonaws.com.cn", "console.amazonaws.cn"),
    ("aws-us-gov", "us-gov-west-1", "amazonaws.com", "console.amazonaws-us-gov.com"),
]
SENT = {
    "policies": json.dumps(policies.documents()),
    "target": json.dumps(target_template.make(ROOT)),
    "resources": (ROOT / "statemachine" / "resources.yaml").read_text(),
    "proxy": (ROOT / "proxy" / "template.yaml").read_text(),
    "rollout": (ROOT / "statemachine" / "rollout.asl.yaml").read_text(),
    "nightly": (ROOT / "statemachine" / "nightly.asl.yaml").read_text(),
    "fleet": (ROOT / "statemachine" / "fleet.asl.yaml").read_text(),
}
each_place = pytest.mark.parametrize(("partition", "region", "suffix", "console"), PLACES)


def as_read(text: str, partition: str, region: str, suffix: str) -> str:
    for name, value in (("Partition", partition), ("Region", region), ("URLSuffix", suffix)):
        text = text.replace(f"${{AWS::{name}}}", value).replace(f"${{{name}}}", value)
    return text


@each_place
@pytest.mark.parametrize("sent", SENT)
def test_every_arn_is_of_the_partition(sent: str, partition: str, region: str, suffix: str, console: str) -> None:
    text = as_read(SENT[sent], partition, region, suffix)
    arns = re.findall(r"\barn:([\w${}:.-]+?):", text)
    assert set(arns) <= {partition}, set(arns)
    assert arns


@each_place
def test_keys_are_used_through_the_partitions_services(partition: str, region: str, suffix: str, console: str) -> None:
    text = as_read(SENT["policies"] + SENT["target"], partition, region, suffix)
    via = set(re.findall(r'"((?:dynamodb|s3|secretsmanager|sqs)\.[^"]*)"', text))
    assert via
    assert all(service.endswith(f".{region}.{suffix}") for service in via)


@each_place
def test_addresses_are_the_partitions(partition: str, region: str, suffix: str, console: str) -> None:
    session = boto3.session.Session("AK", "SK", region_name=region)
    aws = Target(session, "123456789012", region, partition, "arn", "")
    assert aws.api_url("a1", "api") == f"https://a1.execute-api.{region}.{suffix}/api"
    assert aws.object_url("k") == f"https://{aws.bucket}.s3.{region}.{suffix}/k"
    assert _endpoint(region) == f"https://secretsmanager.{region}.{suffix}"
    assert settings(partition=partition, region=region).url_suffix == suffix
    # botocore knows the partition of a region, and signs for the region itself.
    url = session.client("secretsmanager").meta.endpoint_url
    assert url == f"https://secretsmanager.{region}.{suffix}"
    assert session.get_partition_for_region(region) == partition
    for link in console_links(Names("dev"), region, partition).values():
        assert link.startswith(f"https://{region}.{console}/")


@each_place
def test_what_the_installer_writes_is_of_the_partition(partition: str, region: str, suffix: str, console: str) -> None:
    session = boto3.session.Session("AK", "SK", region_name=region)
    aws = Target(session, "123456789012", region, partition, "arn", "")
    written = json.dumps([bucket.tls_policy(partition, "b"), kms_key.needs(aws)])
    assert set(re.findall(r"\barn:([\w-]+):", written)) == {partition}
    there = replace(settings(partition=partition, region=region), account="123456789012")
    assert there.boundary_arn.startswith(f"arn:{partition}:iam::")
    assert there.stacks_role_arn.startswith(f"arn:{partition}:iam::")


def test_a_domain_has_ipv6_everywhere_but_in_china() -> None:
    text = as_installed(SENT["proxy"], boundary="", kms_key_arn="")
    assert "InChina: !Equals [!Ref AWS::Partition, aws-cn]" in text
    assert "IpAddressType: !If [InChina, ipv4, dualstack]" in text
    assert "HasZoneAndIpv6: !And [!Condition HasZone, !Not [!Condition InChina]]" in text
