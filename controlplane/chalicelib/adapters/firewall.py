"""AWS WAF behind `ports.firewall`."""

from __future__ import annotations

from chalicelib.domain.aws.address import WEB_ACL

from .session import HOME, Session

_MISSING = ("WAFNonexistentItemException", "WAFInvalidParameterException")


class WafFirewall:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def exists(self, web_acl_arn: str) -> bool:
        match = WEB_ACL.fullmatch(web_acl_arn)
        if match is None:
            return False
        named = {"Name": match[3], "Scope": "REGIONAL", "Id": match[4]}
        return self._session.find("wafv2", "get_web_acl", missing=_MISSING, **named) is not None

    def web_acl_of(self, stage_arn: str) -> str:
        answer = self._session.find("wafv2", "get_web_acl_for_resource", missing=_MISSING, ResourceArn=stage_arn) or {}
        arn: str = answer.get("WebACL", {}).get("ARN", "")
        return arn
