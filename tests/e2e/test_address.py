"""A domain and a web ACL of the customer's before the proxy: made at the shift, asked through, watched, taken away."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.rolling import Embedded, Rolled, roll

pytestmark = pytest.mark.long  # several rollouts, one after the other

LOAD: dict[str, Any] = {"load": {"rps": 50, "duration_s": 3, "cold_starts": 0}}
ENVIRONMENT, DOMAIN, OTHER = "front", "llm.example.com", "llm2.example.com"


@dataclass(frozen=True)
class Front:
    """What the customer has: a certificate, a zone, a web ACL."""

    embedded: Embedded
    certificate: str
    zone: str
    web_acl: str

    def config(self, name: str = DOMAIN) -> dict[str, Any]:
        domain = {"name": name, "certificate_arn": self.certificate, "hosted_zone_id": self.zone}
        return {"domain": domain, "waf": {"web_acl_arn": self.web_acl}}

    def get(self, host: str, path: str = "/health") -> tuple[int, Any]:
        """A client's request to the domain: in the embedded cloud by its Host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.embedded.cloud.emulator_port, timeout=30)
        try:
            connection.request("GET", path, headers={"host": host})
            reply = connection.getresponse()
            body = reply.read()
            is_json = reply.headers.get_content_type() == "application/json"
            return reply.status, json.loads(body) if is_json else body
        finally:
            connection.close()

    def records(self) -> set[tuple[str, str]]:
        sets = self.embedded.boto("route53").list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return {(item["Type"], item["Name"].rstrip(".")) for item in sets if item["Type"] in ("A", "AAAA")}

    def web_acl_of_stage(self) -> str:
        api, region = self.api(), self.embedded.cloud.region
        arn = f"arn:aws:apigateway:{region}::/restapis/{api}/stages/api"
        waf = self.embedded.boto("wafv2")
        try:
            return str(waf.get_web_acl_for_resource(ResourceArn=arn).get("WebACL", {}).get("ARN", ""))
        except waf.exceptions.WAFNonexistentItemException:
            return ""

    def api(self) -> str:
        stack = self.embedded.boto("cloudformation").describe_stacks(StackName=f"proxyctl-env-{ENVIRONMENT}")
        outputs: dict[str, str] = {item["OutputKey"]: item["OutputValue"] for item in stack["Stacks"][0]["Outputs"]}
        return outputs["ApiId"]

    def roll(self, action: str = "deploy", **given: Any) -> dict[str, Any]:
        return roll(self.embedded, ENVIRONMENT, action, **{"options": LOAD, **given})


@pytest.fixture(scope="module")
def front(embedded: Embedded) -> Front:
    acm, route53, waf = (embedded.boto(name) for name in ("acm", "route53", "wafv2"))
    certificate = acm.request_certificate(DomainName="*.example.com", ValidationMethod="DNS")["CertificateArn"]
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"].rpartition("/")[2]
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    web_acl = waf.create_web_acl(
        Name="limits", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=visible
    )["Summary"]["ARN"]
    embedded.client.put_secret(ENVIRONMENT, embedded.secret())
    return Front(embedded, certificate, zone, web_acl)


def test_the_first_deploy_makes_them_and_users_get_the_domain(front: Front) -> None:
    deployment = front.roll(config=front.config())
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert deployment["links"]["base_url"] == f"https://{DOMAIN}/v1"
    assert front.get(DOMAIN) == (200, {"status": "ok"})
    assert front.records() == {("A", DOMAIN), ("AAAA", DOMAIN)}
    assert front.web_acl_of_stage() == front.web_acl
    stands = front.embedded.client.environment(ENVIRONMENT)
    assert stands["links"]["base_url"] == f"https://{DOMAIN}/v1"


def test_a_second_deploy_changes_nothing_and_a_revalidation_asks_through_the_domain(front: Front) -> None:
    assert front.roll()["status"] == "SUCCEEDED"
    night = front.roll("revalidate")
    assert night["status"] == "SUCCEEDED", night.get("error")
    phases = {phase["name"]: phase for phase in night["phases"]}
    checks = {row["name"]: row for row in phases["validate_endpoints"]["evidence"]["checks"]}
    assert checks["domain"]["verdict"] == "PASSED"


def test_another_environment_cannot_claim_the_domain(front: Front) -> None:
    embedded = front.embedded
    embedded.client.put_secret("thief", embedded.secret())
    refused = roll(embedded, "thief", config={"domain": front.config()["domain"]}, options=LOAD)
    assert refused["status"] == "FAILED"
    assert f"environment {ENVIRONMENT} has it" in refused["error"]["message"]
    assert front.get(DOMAIN) == (200, {"status": "ok"})


def test_a_release_that_fails_leaves_users_the_domain_that_they_have(front: Front) -> None:
    broken = front.roll(config=front.config(OTHER), options={**LOAD, "slo": {"p99_ms": 1}})
    assert broken["status"] in ("FAILED", "ROLLED_BACK")
    assert front.get(DOMAIN) == (200, {"status": "ok"})
    assert front.get(OTHER)[0] != 200
    assert front.embedded.client.environment(ENVIRONMENT)["links"]["base_url"] == f"https://{DOMAIN}/v1"


def test_what_somebody_changes_by_hand_is_named_as_drift(front: Front) -> None:
    gateway, waf, region = (front.embedded.boto(name) for name in ("apigateway", "wafv2", "cloudformation"))
    gateway.delete_base_path_mapping(domainName=DOMAIN, basePath="(none)")
    stage = f"arn:aws:apigateway:{region.meta.region_name}::/restapis/{front.api()}/stages/api"
    waf.disassociate_web_acl(ResourceArn=stage)
    drifted = front.roll("revalidate")
    assert drifted["status"] == "FAILED"
    assert f"mapping of domain {DOMAIN}" in drifted["error"]["message"]
    assert "web ACL of the users' stage" in drifted["error"]["message"]
    gateway.create_base_path_mapping(domainName=DOMAIN, restApiId=front.api(), stage="api")
    waf.associate_web_acl(ResourceArn=stage, WebACLArn=front.web_acl)
    assert front.roll("revalidate")["status"] == "SUCCEEDED"


def test_another_domain_takes_the_place_of_the_first(front: Front) -> None:
    deployment = front.roll(config=front.config(OTHER))
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert front.get(OTHER) == (200, {"status": "ok"})
    assert front.get(DOMAIN)[0] != 200
    assert front.records() == {("A", OTHER), ("AAAA", OTHER)}


def test_without_them_the_gateways_own_address_is_the_users_again(front: Front) -> None:
    deployment = front.roll(config={"domain": None, "waf": None})
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert "execute-api" in deployment["links"]["base_url"]
    assert front.records() == set()
    assert front.web_acl_of_stage() == ""
    assert Rolled(front.embedded, ENVIRONMENT, deployment).base_url == deployment["links"]["base_url"]


def test_clean_up_takes_what_was_made_and_leaves_what_is_the_customers(front: Front) -> None:
    assert front.roll(config=front.config())["status"] == "SUCCEEDED"
    assert front.roll("cleanup")["status"] == "SUCCEEDED"
    gateway = front.embedded.boto("apigateway")
    assert DOMAIN not in [item["domainName"] for item in gateway.get_domain_names()["items"]]
    assert front.records() == set()
    certificate = front.embedded.boto("acm").describe_certificate(CertificateArn=front.certificate)
    assert certificate["Certificate"]["CertificateArn"] == front.certificate
    listed = front.embedded.boto("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    assert front.web_acl in [item["ARN"] for item in listed]
