"""AWS Certificate Manager behind `ports.certificates`."""

from __future__ import annotations

from chalicelib.domain.aws.addresses import Certificate

from .session import HOME, Session


class AcmCertificates:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def find(self, arn: str) -> Certificate | None:
        answer = self._session.find("acm", "describe_certificate", CertificateArn=arn)
        if answer is None:
            return None
        about = answer["Certificate"]
        names = {about.get("DomainName", ""), *about.get("SubjectAlternativeNames", [])} - {""}
        return Certificate(about.get("Status", ""), tuple(sorted(names)), about.get("NotAfter"))
