"""Web ACLs of AWS WAF."""

from __future__ import annotations

from typing import Protocol


class Firewall(Protocol):
    def exists(self, web_acl_arn: str) -> bool:
        """Whether there is such a web ACL of scope REGIONAL."""
        ...

    def web_acl_of(self, stage_arn: str) -> str:
        """ARN of the web ACL in front of a stage; "" for none."""
        ...
