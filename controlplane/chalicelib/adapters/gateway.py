"""API Gateway behind `ports.gateway`."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.gateway import GatewayAccount
from chalicelib.domain.errors import NotFound

from .session import call, pages


class RestGateway:
    """See the Protocol."""

    def account(self) -> GatewayAccount:
        answer = call("apigateway", "get_account")
        throttle = answer.get("throttleSettings", {})
        return GatewayAccount(
            log_role=answer.get("cloudwatchRoleArn") or "",
            rate_per_s=float(throttle.get("rateLimit", 0)),
            burst=int(throttle.get("burstLimit", 0)),
        )

    def apis(self, name: str) -> Mapping[str, Mapping[str, str]]:
        entries = pages("apigateway", "get_rest_apis", "items")
        return {item["id"]: item.get("tags", {}) for item in entries if item["name"] == name}

    def ids(self) -> frozenset[str]:
        return frozenset(item["id"] for item in pages("apigateway", "get_rest_apis", "items"))

    def access_logs(self, api_id: str, stage: str) -> bool:
        try:
            answer = call("apigateway", "get_stage", restApiId=api_id, stageName=stage)
        except NotFound:
            return False
        return bool(answer.get("accessLogSettings", {}).get("destinationArn"))
