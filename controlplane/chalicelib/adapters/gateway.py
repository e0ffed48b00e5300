"""API Gateway behind `ports.gateway`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.aws.addresses import DomainState
from chalicelib.domain.aws.gateway import AccessLog, GatewayAccount, StageState
from chalicelib.domain.errors import NotFound

from .session import HOME, Session

_THROTTLE = "/*/*/throttling"


class RestGateway:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def account(self) -> GatewayAccount:
        answer = self._session.call("apigateway", "get_account")
        throttle = answer.get("throttleSettings", {})
        return GatewayAccount(
            log_role=answer.get("cloudwatchRoleArn") or "",
            rate_per_s=float(throttle.get("rateLimit", 0)),
            burst=int(throttle.get("burstLimit", 0)),
        )

    def apis(self, name: str) -> Mapping[str, Mapping[str, str]]:
        entries = self._session.pages("apigateway", "get_rest_apis", "items")
        return {item["id"]: item.get("tags", {}) for item in entries if item["name"] == name}

    def ids(self) -> frozenset[str]:
        return frozenset(item["id"] for item in self._session.pages("apigateway", "get_rest_apis", "items"))

    def access_logs(self, api_id: str, stage: str) -> bool:
        try:
            answer = self._session.call("apigateway", "get_stage", restApiId=api_id, stageName=stage)
        except NotFound:
            return False
        return bool(answer.get("accessLogSettings", {}).get("destinationArn"))

    def exists(self, api_id: str) -> bool:
        try:
            self._session.call("apigateway", "get_rest_api", restApiId=api_id)
        except NotFound:
            return False
        return True

    def stage(self, api_id: str, name: str) -> StageState | None:
        try:
            answer = self._session.call("apigateway", "get_stage", restApiId=api_id, stageName=name)
        except NotFound:
            return None
        limits = answer.get("methodSettings", {}).get("*/*", {})
        return StageState(
            deployment_id=answer["deploymentId"],
            rate_per_s=float(limits.get("throttlingRateLimit", 0)),
            burst=int(limits.get("throttlingBurstLimit", 0)),
        )

    def create_stage(
        self, api_id: str, name: str, state: StageState, access_log: AccessLog | None, tags: Mapping[str, str]
    ) -> None:
        self._session.call(
            "apigateway",
            "create_stage",
            restApiId=api_id,
            stageName=name,
            deploymentId=state.deployment_id,
            tags=dict(tags),
        )
        fixed = [_replace("/*/*/metrics/enabled", "true"), _replace("/*/*/logging/dataTrace", "false")]
        self._patch(api_id, name, [*_throttle(state), *fixed, *_access_log(access_log)])

    def domain(self, name: str) -> DomainState | None:
        answer = self._session.find("apigateway", "get_domain_name", domainName=name)
        if answer is None:
            return None
        mappings = self._session.pages("apigateway", "get_base_path_mappings", "items", domainName=name)
        return DomainState(
            certificate_arn=answer.get("regionalCertificateArn", ""),
            target=answer.get("regionalDomainName", ""),
            mappings={item["basePath"]: (item["restApiId"], item.get("stage", "")) for item in mappings},
            tags=answer.get("tags", {}),
        )

    def set_stage(self, api_id: str, name: str, state: StageState) -> None:
        self._patch(api_id, name, [_replace("/deploymentId", state.deployment_id), *_throttle(state)])

    def _patch(self, api_id: str, stage: str, operations: list[dict[str, Any]]) -> None:
        self._session.call("apigateway", "update_stage", restApiId=api_id, stageName=stage, patchOperations=operations)


def _replace(path: str, value: str) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def _throttle(state: StageState) -> list[dict[str, Any]]:
    rate, burst = f"{state.rate_per_s:g}", str(state.burst)
    return [_replace(f"{_THROTTLE}/rateLimit", rate), _replace(f"{_THROTTLE}/burstLimit", burst)]


def _access_log(log: AccessLog | None) -> list[dict[str, Any]]:
    if log is None:
        return []
    return [
        _replace("/accessLogSettings/destinationArn", log.destination),
        _replace("/accessLogSettings/format", log.format),
    ]
