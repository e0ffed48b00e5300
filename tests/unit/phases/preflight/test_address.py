"""What preflight says of a domain and a web ACL, and of partitions, before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalicelib.domain.aws.address import Domain, Waf
from chalicelib.domain.aws.addresses import Certificate, DomainState, Record, Zone
from chalicelib.domain.evidence.preflight import Finding
from chalicelib.phases.preflight import address, partitions
from chalicelib.phases.preflight.address import Place, Standing

HERE = Place("123456789012", "eu-central-1")
ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/1234"
ACL = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/limits/1234"
DOMAIN = Domain("llm.example.com", ARN, "Z0ABC")
NOW = datetime(2026, 11, 27, tzinfo=UTC)
GOOD = Standing(
    Certificate("ISSUED", ("*.example.com",), NOW + timedelta(days=200)), zone=Zone("example.com", private=False)
)


def findings(domain: Domain = DOMAIN, now: Standing = GOOD, environment: str = "prod") -> list[Finding]:
    return [
        *address.certificate(domain, now, HERE, NOW),
        *address.owner(domain, now, environment),
        *address.zone(domain, now),
    ]


def certificate(**other: Any) -> Standing:
    assert GOOD.certificate is not None
    return replace(GOOD, certificate=replace(GOOD.certificate, **other))


def test_a_domain_that_can_be_used_gives_no_finding() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("now", "text", "blocks"),
    [
        (replace(GOOD, certificate=None), "there is no certificate", True),
        (certificate(status="PENDING_VALIDATION", expires=None), "PENDING_VALIDATION", True),
        (certificate(names=("example.com",)), "not for llm.example.com", True),
        (certificate(expires=NOW + timedelta(days=29)), "ends on 2026-12-26", False),
        (replace(GOOD, zone=None), "no hosted zone Z0ABC", True),
        (replace(GOOD, zone=Zone("example.com", private=True)), "private", True),
        (replace(GOOD, zone=Zone("example.org", private=False)), "not in the hosted zone", True),
        (replace(GOOD, records=(Record("CNAME", "old.example.net"),)), "CNAME old.example.net", True),
    ],
)
def test_what_is_wrong_is_one_finding_with_a_remedy(now: Standing, text: str, blocks: bool) -> None:
    (finding,) = findings(now=now)
    assert text in finding.message
    assert (finding.blocks, bool(finding.remedy)) == (blocks, True)
    assert (finding.field or "").startswith("config.domain")


def test_a_certificate_that_ends_in_thirty_days_is_good() -> None:
    assert findings(now=certificate(expires=NOW + timedelta(days=30))) == []


@pytest.mark.parametrize("arn", [ARN.replace("eu-central-1", "us-east-1"), ARN.replace("123456789012", "9" * 12)])
def test_a_certificate_of_elsewhere_is_refused(arn: str) -> None:
    (finding,) = findings(replace(DOMAIN, certificate_arn=arn))
    assert "not of account 123456789012 in eu-central-1" in finding.message


def test_a_record_of_another_kind_is_no_obstacle_and_ours_is_none_either() -> None:
    assert findings(now=replace(GOOD, records=(Record("TXT", "x"), Record("CAA", "y")))) == []
    assert findings(now=replace(GOOD, records=(Record("A", "d-1.example"),), owns=True)) == []


@pytest.mark.parametrize(
    ("tags", "text"),
    [({"proxyctl:environment": "eu"}, "environment eu has it"), ({}, "made outside of any environment")],
)
def test_two_environments_do_not_get_one_domain(tags: dict[str, str], text: str) -> None:
    now = replace(GOOD, domain=DomainState(ARN, "d-1", {}, tags))
    (finding,) = findings(now=now)
    assert (text in finding.message, finding.field) == (True, "config.domain.name")
    assert findings(now=replace(now, owns=True)) == []


def test_what_an_earlier_stack_of_the_same_environment_left_is_no_others() -> None:
    now = replace(GOOD, domain=DomainState(ARN, "d-1", {}, {"proxyctl:environment": "prod"}))
    assert findings(now=now) == []


def test_without_a_zone_nothing_is_asked_of_one() -> None:
    assert findings(replace(DOMAIN, hosted_zone_id=None), replace(GOOD, zone=None)) == []


def test_a_web_acl_must_exist_here() -> None:
    assert list(address.web_acl(Waf(ACL), exists=True, place=HERE)) == []
    (missing,) = address.web_acl(Waf(ACL), exists=False, place=HERE)
    (elsewhere,) = address.web_acl(Waf(ACL.replace("eu-central-1", "us-east-1")), exists=True, place=HERE)
    assert ("there is no web ACL" in missing.message, "not of account" in elsewhere.message) == (True, True)


def test_a_partition_of_its_own_is_a_warning_and_nothing_more() -> None:
    assert list(partitions.findings("aws", streams=True, has_domain=True)) == []
    china = list(partitions.findings("aws-cn", streams=True, has_domain=True))
    gov = list(partitions.findings("aws-us-gov", streams=False, has_domain=True))
    assert [finding.blocks for finding in [*china, *gov]] == [False] * (len(china) + len(gov))
    words = " ".join(finding.message for finding in china)
    assert all(word in words for word in ("ICP", "IPv6", "streams", "NOT PRICED"))
    (unpriced,) = gov
    assert unpriced.message.startswith("costs are NOT PRICED in aws-us-gov")
