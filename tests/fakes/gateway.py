"""`ports.gateway` in memory."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.addresses import DomainState
from chalicelib.domain.aws.gateway import AccessLog, GatewayAccount, StageState
from chalicelib.stack.recovery import losses

from .stacks import FakeStacks


class FakeGateway:
    """gone: APIs (ID) and stages (ID and name) that someone deleted; stages: those that someone changed or made again.
    All others are as CloudFormation left them (`stacks`)."""

    def __init__(self) -> None:
        self.settings = GatewayAccount("arn:aws:iam::123456789012:role/apigateway-logs", 10_000, 5_000)
        self.named: dict[str, dict[str, Mapping[str, str]]] = {}
        self.keeps_access_logs = True
        self.gone: set[str | tuple[str, str]] = set()
        self.stacks: FakeStacks | None = None
        self.stages: dict[tuple[str, str], StageState] = {}
        self.logs: dict[tuple[str, str], AccessLog | None] = {}
        self.domains: dict[str, DomainState] = {}

    def account(self) -> GatewayAccount:
        return self.settings

    def apis(self, name: str) -> Mapping[str, Mapping[str, str]]:
        return self.named.get(name, {})

    def ids(self) -> frozenset[str]:
        return frozenset(api for apis in self.named.values() for api in apis)

    def access_logs(self, api_id: str, stage: str) -> bool:
        return self.keeps_access_logs

    def exists(self, api_id: str) -> bool:
        return api_id not in self.gone

    def stage(self, api_id: str, name: str) -> StageState | None:
        if api_id in self.gone or (api_id, name) in self.gone:
            return None
        return self.stages.get((api_id, name)) or self._as_the_stack_left_it(api_id).get(name)

    def _as_the_stack_left_it(self, api_id: str) -> Mapping[str, StageState]:
        for stack in self.stacks.standing.values() if self.stacks else ():
            if stack.outputs.get("ApiId") == api_id:
                return losses.stages(stack, self.stacks.owned.get(stack.name, ())) if self.stacks else {}
        return {}

    def domain(self, name: str) -> DomainState | None:
        return self.domains.get(name)

    def create_stage(
        self, api_id: str, name: str, state: StageState, access_log: AccessLog | None, tags: Mapping[str, str]
    ) -> None:
        self.gone.discard((api_id, name))
        self.stages[api_id, name] = state
        self.logs[api_id, name] = access_log

    def set_stage(self, api_id: str, name: str, state: StageState) -> None:
        assert (api_id, name) not in self.gone
        self.stages[api_id, name] = state
