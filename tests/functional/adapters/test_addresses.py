"""Certificates, zones, web ACLs and custom domains."""

from __future__ import annotations

from typing import Any

import boto3
from chalicelib.adapters.alarms import CloudWatchAlarms
from chalicelib.adapters.certificates import AcmCertificates
from chalicelib.adapters.firewall import WafFirewall
from chalicelib.adapters.gateway import RestGateway
from chalicelib.adapters.logs import CloudWatchLogs
from chalicelib.adapters.secrets import SecretsManagerSecrets
from chalicelib.adapters.zones import Route53Zones
from chalicelib.domain.aws.addresses import Record, Zone
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions

from tests.functional.adapters.conftest import TAGS

REGION = "eu-central-1"
_NO_ARN = f"arn:aws:acm:{REGION}:123456789012:certificate/00000000-0000-0000-0000-000000000000"
_NO_ACL = f"arn:aws:wafv2:{REGION}:123456789012:regional/webacl/none/00000000-0000-0000-0000-000000000000"
_VISIBLE = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def test_a_certificate_has_its_names_and_its_state() -> None:
    arn = client("acm").request_certificate(
        DomainName="example.com", SubjectAlternativeNames=["*.example.com"], ValidationMethod="DNS"
    )["CertificateArn"]
    certificate = AcmCertificates().find(arn)
    assert certificate is not None
    assert certificate.names == ("*.example.com", "example.com")
    assert certificate.covers("llm.example.com")
    assert AcmCertificates().find(_NO_ARN) is None


def test_a_zone_has_its_name_and_the_records_of_one_host() -> None:
    route53 = client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"].rpartition("/")[2]
    for name in ("llm.example.com", "llm2.example.com", "a.llm.example.com"):
        record = {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": f"to.{name}."}]}
        changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    zones = Route53Zones()
    assert zones.find(zone) == Zone("example.com", private=False)
    assert zones.find("Z000000000000000000AB") is None
    assert zones.records(zone, "llm.example.com") == [Record("CNAME", "to.llm.example.com")]
    assert zones.records(zone, "none.example.com") == []


def test_a_web_acl_exists_or_does_not_and_stands_before_a_stage() -> None:
    waf, firewall = client("wafv2"), WafFirewall()
    arn = waf.create_web_acl(
        Name="limits", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=_VISIBLE
    )["Summary"]["ARN"]
    assert (firewall.exists(arn), firewall.exists(_NO_ACL), firewall.exists("nonsense")) == (True, False, False)
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="a")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=api, stageName="api")
    stage = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/api"
    assert firewall.web_acl_of(stage) == ""
    waf.associate_web_acl(WebACLArn=arn, ResourceArn=stage)
    assert firewall.web_acl_of(stage) == arn


def test_a_domain_has_certificate_target_mappings_and_tags() -> None:
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="a")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=api, stageName="api")
    gateway.create_domain_name(
        domainName="llm.example.com",
        regionalCertificateArn=_NO_ARN,
        endpointConfiguration={"types": ["REGIONAL"]},
        tags={"proxyctl:environment": "dev"},
    )
    gateway.create_base_path_mapping(domainName="llm.example.com", restApiId=api, stage="api")
    domain = RestGateway().domain("llm.example.com")
    assert domain is not None
    assert domain.certificate_arn == _NO_ARN
    assert domain.mappings == {"(none)": (api, "api")}
    assert domain.tags == {"proxyctl:environment": "dev"}
    assert RestGateway().domain("other.example.com") is None


def test_a_log_group_an_alarm_and_a_secret_take_what_the_installation_asks_for() -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    CloudWatchLogs().create_group("/aws/lambda/proxyctl-dev-proxy", TAGS, key)
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/proxyctl-dev")["logGroups"]
    assert group["kmsKeyId"] == key
    secret = SecretsManagerSecrets().create("proxyctl/dev/openai", "{}", tags=TAGS, version_id="v" * 32, key=key)
    assert secret.kms_key == key
    alarm = definitions(Names("dev"), AlarmThresholds(), stage="api", topic_arn="arn:aws:sns:eu-central-1:1:t")[0]
    CloudWatchAlarms().put(alarm, TAGS)
    (state,) = CloudWatchAlarms().find(alarm.name)
    CloudWatchAlarms().tag(state.arn, {"team": "ml"})
    tags = client("cloudwatch").list_tags_for_resource(ResourceARN=state.arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {**TAGS, "team": "ml"}
