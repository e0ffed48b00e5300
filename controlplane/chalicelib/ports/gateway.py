"""API Gateway: what the account allows, and how a stage stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.aws.gateway import GatewayAccount


class Gateway(Protocol):
    def account(self) -> GatewayAccount: ...

    def apis(self, name: str) -> Mapping[str, Mapping[str, str]]:
        """Tags by API ID, of the REST APIs of exactly that name."""
        ...

    def ids(self) -> frozenset[str]:
        """IDs of all REST APIs of the region."""
        ...

    def access_logs(self, api_id: str, stage: str) -> bool:
        """Whether the stage writes an access log."""
        ...
