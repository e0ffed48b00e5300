"""AWS WAF behind `ports.firewall`."""

from __future__ import annotations

from chalicelib.domain.aws.address import WEB_ACL
from chalicelib.domain.errors import AwsCallFailed, NotFound

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
        try:
            self._session.call("wafv2", "get_web_acl", Name=match[3], Scope="REGIONAL", Id=match[4])
        except NotFound:
            return False
        except AwsCallFailed as error:
            if error.aws_code not in _MISSING:
                raise
            return False
        return True

    def web_acl_of(self, stage_arn: str) -> str:
        try:
            answer = self._session.call("wafv2", "get_web_acl_for_resource", ResourceArn=stage_arn)
        except NotFound:
            return ""
        except AwsCallFailed as error:
            if error.aws_code not in _MISSING:
                raise
            return ""
        arn: str = answer.get("WebACL", {}).get("ARN", "")
        return arn
