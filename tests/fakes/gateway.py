"""`ports.gateway` in memory."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.gateway import GatewayAccount


class FakeGateway:
    def __init__(self) -> None:
        self.settings = GatewayAccount("arn:aws:iam::123456789012:role/apigateway-logs", 10_000, 5_000)
        self.named: dict[str, dict[str, Mapping[str, str]]] = {}
        self.keeps_access_logs = True

    def account(self) -> GatewayAccount:
        return self.settings

    def apis(self, name: str) -> Mapping[str, Mapping[str, str]]:
        return self.named.get(name, {})

    def ids(self) -> frozenset[str]:
        return frozenset(api for apis in self.named.values() for api in apis)

    def access_logs(self, api_id: str, stage: str) -> bool:
        return self.keeps_access_logs
