"""Whether the domain and the web ACL of the configuration can be used. Pure: `inspect` reads the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.aws.address import Domain, Waf
from chalicelib.domain.aws.addresses import Certificate, DomainState, Record, Zone
from chalicelib.domain.evidence.preflight import Finding
from chalicelib.domain.names import ENVIRONMENT_TAG

# ACM renews what it issued 60 days before the end; a month before, that has failed, or somebody has imported it.
_ENDS_SOON = timedelta(days=30)
_POINTING = ("A", "AAAA", "CNAME")
_CERTIFICATE, _ZONE = "config.domain.certificate_arn", "config.domain.hosted_zone_id"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the environment is."""

    account: str
    region: str

    def holds(self, arn: str) -> bool:
        """Whether the ARN names something in this account and region."""
        return arn.split(":")[3:5] == [self.region, self.account]


@dataclass(frozen=True, slots=True)
class Standing:
    """What exists. zone, records: of config.domain.hosted_zone_id, if that is given.

    owns: whether the environment's own stack has this domain, zone included, already."""

    certificate: Certificate | None
    domain: DomainState | None = None
    zone: Zone | None = None
    records: Sequence[Record] = ()
    owns: bool = False


def certificate(wanted: Domain, now: Standing, place: Place, at: datetime) -> Iterator[Finding]:
    """at: the time of the look."""
    arn = wanted.certificate_arn
    if not place.holds(arn):
        yield Finding(
            "domain",
            f"the certificate {arn} is not of account {place.account} in {place.region}",
            "API Gateway takes a certificate of its own account and region only: request one there.",
            field=_CERTIFICATE,
        )
        return
    issued = now.certificate
    if issued is None:
        yield Finding(
            "domain",
            f"there is no certificate {arn}",
            "Take it from: aws acm list-certificates",
            field=_CERTIFICATE,
        )
        return
    if issued.status != "ISSUED":
        yield Finding(
            "domain",
            f"the certificate {arn} is {issued.status}, not ISSUED",
            "Finish its validation (aws acm describe-certificate names the record), or request another one.",
            field=_CERTIFICATE,
        )
    if not issued.covers(wanted.name):
        yield Finding(
            "domain",
            f"the certificate {arn} is for {', '.join(issued.names)}, not for {wanted.name}",
            "Request one that names the domain, or its parent with a `*`.",
            field=_CERTIFICATE,
        )
    if issued.expires is not None and issued.expires - at < _ENDS_SOON:
        yield Finding(
            "domain",
            f"the certificate {arn} ends on {issued.expires:%Y-%m-%d}",
            "Renew it: ACM has not done so, or it was imported.",
            blocks=False,
            field=_CERTIFICATE,
        )


def owner(wanted: Domain, now: Standing, environment: str) -> Iterator[Finding]:
    """A region has each domain once."""
    if now.domain is None or now.owns:
        return
    other = now.domain.tags.get(ENVIRONMENT_TAG, "")
    if other == environment:
        return  # of a stack that was deleted or rolled back halfway; CloudFormation says what is wrong with it
    whose = f"environment {other} has it" if other else "it was made outside of any environment"
    remedy = (
        f"Choose another name, or take it from {other} first: deploy that with config.domain: null."
        if other
        else f"Delete it first: aws apigateway delete-domain-name --domain-name {wanted.name}"
    )
    yield Finding("domain", f"the domain {wanted.name} exists already: {whose}", remedy, field="config.domain.name")


def zone(wanted: Domain, now: Standing) -> Iterator[Finding]:
    """The zone that gets the records, and whether their place is free."""
    if wanted.hosted_zone_id is None:
        return
    if now.zone is None:
        yield Finding(
            "domain",
            f"there is no hosted zone {wanted.hosted_zone_id} in this account",
            "Name one of: aws route53 list-hosted-zones. Leave it out where the zone is elsewhere.",
            field=_ZONE,
        )
        return
    if now.zone.private:
        yield Finding(
            "domain",
            f"the hosted zone {wanted.hosted_zone_id} ({now.zone.name}) is private: only its VPCs would see the record",
            "Name the public zone.",
            field=_ZONE,
        )
    if not now.zone.holds(wanted.name):
        yield Finding(
            "domain",
            f"{wanted.name} is not in the hosted zone {wanted.hosted_zone_id}, which is {now.zone.name}",
            "Name the zone of the domain.",
            field=_ZONE,
        )
    yield from _records(wanted, now)


def _records(wanted: Domain, now: Standing) -> Iterator[Finding]:
    taken = [record for record in now.records if record.kind in _POINTING]
    if not taken or now.owns:
        return
    shown = ", ".join(f"{record.kind} {record.target}" for record in taken)
    yield Finding(
        "domain",
        f"the hosted zone has a record for {wanted.name} already: {shown}",
        "Delete it in Route 53 when users may go without it for a minute; nothing of yours is overwritten.",
        field=_ZONE,
    )


def web_acl(wanted: Waf, exists: bool, place: Place) -> Iterator[Finding]:
    """exists: as AWS WAF says; of one elsewhere it does not matter."""
    field = "config.waf.web_acl_arn"
    if not place.holds(wanted.web_acl_arn):
        yield Finding(
            "waf",
            f"the web ACL {wanted.web_acl_arn} is not of account {place.account} in {place.region}",
            "A stage takes a web ACL of its own account and region only.",
            field=field,
        )
    elif not exists:
        yield Finding(
            "waf",
            f"there is no web ACL {wanted.web_acl_arn}",
            "Take it from: aws wafv2 list-web-acls --scope REGIONAL",
            field=field,
        )
