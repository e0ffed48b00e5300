"""AWS Certificate Manager behind `ports.certificates`."""

from __future__ import annotations

from chalicelib.domain.aws.addresses import Certificate
from chalicelib.domain.errors import NotFound

from .session import HOME, Session


class AcmCertificates:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def find(self, arn: str) -> Certificate | None:
        try:
            answer = self._session.call("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
        except NotFound:
            return None
        names = {answer.get("DomainName", ""), *answer.get("SubjectAlternativeNames", [])} - {""}
        return Certificate(answer.get("Status", ""), tuple(sorted(names)), answer.get("NotAfter"))
