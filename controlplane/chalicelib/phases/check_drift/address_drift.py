"""Drift of the users' address: the domain, what it leads to, its records, and the web ACL. Pure.

CloudFormation's own detection does not see all of it everywhere: an association with a web ACL is no resource that it
can read in every region, and the embedded cloud reads none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.aws.addresses import DomainState, Record
from chalicelib.domain.evidence.drift import DriftFinding

ROOT = "(none)"  # API Gateway's word for the mapping without a path
_AGAIN = "Deploy with config.domain: null, then with the domain again: CloudFormation makes again what it removed."


@dataclass(frozen=True, slots=True)
class Address:
    """What stands. domain: None for one that is gone. records: of the domain, None where no zone is ours."""

    domain: DomainState | None = None
    records: Sequence[Record] | None = None
    web_acl: str = ""


def findings(parameters: Mapping[str, str], outputs: Mapping[str, str], now: Address) -> Iterator[DriftFinding]:
    """parameters, outputs: of the stack, which say what users should have."""
    name = parameters.get("DomainName", "")
    if name:
        yield from _of_domain(name, parameters, outputs, now)
    wanted = parameters.get("WebAclArn", "")
    if now.web_acl != wanted:
        remedy = "Put it back: aws wafv2 associate-web-acl" if wanted else "aws wafv2 disassociate-web-acl"
        yield DriftFinding(
            "address", "web ACL of the users' stage", wanted or "none", now.web_acl or "none", f"{remedy}; or deploy."
        )


def _of_domain(
    name: str, parameters: Mapping[str, str], outputs: Mapping[str, str], now: Address
) -> Iterator[DriftFinding]:
    where = f"domain {name}"
    if now.domain is None:
        yield DriftFinding("address", where, "there", "gone", _AGAIN)
        return
    certificate = parameters.get("CertificateArn", "")
    if now.domain.certificate_arn != certificate:
        remedy = (
            "aws apigateway update-domain-name, path /regionalCertificateArn; or name the new one in config.domain."
        )
        yield DriftFinding("address", f"certificate of {where}", certificate, now.domain.certificate_arn, remedy)
    wanted = (outputs.get("ApiId", ""), outputs.get("StageName", ""))
    leads = now.domain.mappings.get(ROOT)
    if leads != wanted:
        remedy = f"aws apigateway update-base-path-mapping --domain-name {name} --base-path '{ROOT}'. {_AGAIN}"
        yield DriftFinding(
            "address", f"mapping of {where}", "/".join(wanted), "/".join(leads) if leads else "gone", remedy
        )
    if now.records is not None:
        yield from _of_records(where, now.domain.target.lower(), now.records)


def _of_records(where: str, target: str, records: Sequence[Record]) -> Iterator[DriftFinding]:
    pointing = [record for record in records if record.kind in ("A", "AAAA", "CNAME")]
    wrong = [record for record in pointing if record.target.removeprefix("dualstack.") != target]
    if not pointing or wrong:
        actual = ", ".join(f"{record.kind} {record.target}" for record in wrong) or "gone"
        yield DriftFinding("address", f"record of {where}", target, actual, f"Point it there in Route 53. {_AGAIN}")
