"""API Gateway: what the account allows, and how a stage stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.aws.addresses import DomainState
from chalicelib.domain.aws.gateway import AccessLog, GatewayAccount, StageState


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

    def exists(self, api_id: str) -> bool: ...

    def stage(self, api_id: str, name: str) -> StageState | None:
        """None when there is no such stage."""
        ...

    def create_stage(
        self, api_id: str, name: str, state: StageState, access_log: AccessLog | None, tags: Mapping[str, str]
    ) -> None:
        """With metrics by method and without data tracing, as the environment's template has its stages."""
        ...

    def domain(self, name: str) -> DomainState | None:
        """A custom domain with its mappings; None when there is none in this account and region."""
        ...

    def set_stage(self, api_id: str, name: str, state: StageState) -> None:
        """Give an existing stage this snapshot and this throttle."""
        ...
