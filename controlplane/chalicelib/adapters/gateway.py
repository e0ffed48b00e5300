"""API Gateway behind `ports.gateway`."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.gateway import GatewayAccount
from chalicelib.domain.errors import NotFound

from .session import call, pages


class RestGateway:
    """See the Protocol."""

    def account(self) -> GatewayAccount:
        told = call("apigateway", "get_account")
        throttle = told.get("throttleSettings", {})
        return GatewayAccount(
            log_role=told.get("cloudwatchRoleArn") or "",
            rate_per_s=float(throttle.get("rateLimit", 0)),
            burst=int(throttle.get("burstLimit", 0)),
        )

    def apis(self, name: str) -> Mapping[str, Mapping[str, str]]:
        found = pages("apigateway", "get_rest_apis", "items")
        return {item["id"]: item.get("tags", {}) for item in found if item["name"] == name}

    def access_logs(self, api_id: str, stage: str) -> bool:
        try:
            told = call("apigateway", "get_stage", restApiId=api_id, stageName=stage)
        except NotFound:
            return False
        return bool(told.get("accessLogSettings", {}).get("destinationArn"))
