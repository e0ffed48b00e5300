"""Drift of the users' address: every part of it that somebody may change is named once, with a way back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chalicelib.domain.aws.addresses import DomainState, Record
from chalicelib.phases.check_drift.address_drift import ROOT, Address, findings

ACL = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/limits/1234"
STACK = {"DomainName": "llm.example.com", "CertificateArn": "arn:c", "HostedZoneId": "Z0", "WebAclArn": ACL}
OUTPUTS = {"ApiId": "a1", "StageName": "api"}
TARGET = "d-1.execute-api.eu-central-1.amazonaws.com"
STATE = DomainState("arn:c", TARGET, {ROOT: ("a1", "api")})
GOOD = Address(STATE, (Record("A", TARGET), Record("AAAA", TARGET)), ACL)


def test_what_stands_as_the_stack_has_it_is_no_drift() -> None:
    assert list(findings(STACK, OUTPUTS, GOOD)) == []
    assert list(findings({}, OUTPUTS, Address())) == []


@pytest.mark.parametrize(
    ("now", "where", "actual"),
    [
        (replace(GOOD, domain=None), "domain llm.example.com", "gone"),
        (replace(GOOD, domain=replace(STATE, certificate_arn="arn:d")), "certificate", "arn:d"),
        (replace(GOOD, domain=replace(STATE, mappings={})), "mapping", "gone"),
        (replace(GOOD, domain=replace(STATE, mappings={ROOT: ("b2", "api")})), "mapping", "b2/api"),
        (replace(GOOD, domain=replace(STATE, mappings={"v1": ("a1", "api")})), "mapping", "gone"),
        (replace(GOOD, records=()), "record", "gone"),
        (replace(GOOD, records=(Record("TXT", "x"),)), "record", "gone"),
        (replace(GOOD, records=(Record("A", "d-2.example"),)), "record", "A d-2.example"),
        (replace(GOOD, web_acl=""), "web ACL", "none"),
        (replace(GOOD, web_acl="arn:other"), "web ACL", "arn:other"),
    ],
)
def test_each_change_is_one_finding_with_a_remedy(now: Address, where: str, actual: str) -> None:
    (finding,) = findings(STACK, OUTPUTS, now)
    assert where in finding.where
    assert finding.found == actual
    assert finding.remedy
    assert not finding.heals


def test_without_a_zone_of_ours_records_are_nobodys_business_here() -> None:
    assert list(findings(STACK, OUTPUTS, replace(GOOD, records=None))) == []


def test_an_alias_to_both_kinds_of_addresses_is_the_same_target() -> None:
    assert list(findings(STACK, OUTPUTS, replace(GOOD, records=(Record("A", f"dualstack.{TARGET}"),)))) == []
