"""The address that users call, and what stands before it: a custom domain and a web ACL, both of the customer's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# RFC 1123, at least two labels; no wildcard, since users call one name.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"(?=.{{4,253}}$)(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):([0-9]{12}):certificate/[0-9A-Za-z-]{1,64}")
_ZONE = re.compile(r"Z[0-9A-Z]{1,31}")
WEB_ACL = re.compile(
    r"arn:aws[a-z-]*:wafv2:([a-z0-9-]+):([0-9]{12}):regional/webacl/([A-Za-z0-9_-]{1,128})/([0-9a-f-]{1,36})"
)

Refusal = tuple[str, str, str]
"""The field, what is wrong with it, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Domain:
    """name: what users call, in lower case. certificate_arn: ACM's, of the environment's own region and account.
    hosted_zone_id: the public zone of Route 53 that gets the records; None where somebody else keeps them."""

    name: str
    certificate_arn: str
    hosted_zone_id: str | None = None

    @property
    def url(self) -> str:
        """Without a path."""
        return f"https://{self.name}"


@dataclass(frozen=True, slots=True)
class Waf:
    """web_acl_arn: a web ACL of scope REGIONAL in the environment's own region and account."""

    web_acl_arn: str


def refusals(domain: Domain | None, waf: Waf | None) -> Iterator[Refusal]:
    """What cannot be such a domain or web ACL, by its form."""
    if domain and not NAME.fullmatch(domain.name):
        remedy = "Write it in lower case, such as llm.example.com."
        yield "domain.name", f"is {domain.name[:80]!r}, which is not a host name", remedy
    if domain and not CERTIFICATE.fullmatch(domain.certificate_arn):
        yield (
            "domain.certificate_arn",
            f"is {domain.certificate_arn[:80]!r}, which is not the ARN of a certificate of ACM",
            "Take it from: aws acm list-certificates",
        )
    if domain and domain.hosted_zone_id is not None and not _ZONE.fullmatch(domain.hosted_zone_id):
        yield (
            "domain.hosted_zone_id",
            f"is {domain.hosted_zone_id[:80]!r}, which is not the ID of a hosted zone",
            "Take the part after /hostedzone/ from: aws route53 list-hosted-zones",
        )
    if waf and not WEB_ACL.fullmatch(waf.web_acl_arn):
        yield (
            "waf.web_acl_arn",
            f"is {waf.web_acl_arn[:80]!r}, which is not the ARN of a regional web ACL",
            "Take it from: aws wafv2 list-web-acls --scope REGIONAL (those of CloudFront do not serve a stage)",
        )
