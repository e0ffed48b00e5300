"""What can be done next with an answer: OpenAPI's links, which clients show and stateful tests follow. Pure.

Source: OpenAPI Specification 3.1, "Link Object" and "Runtime Expressions".
"""

from __future__ import annotations

from typing import Any

from ..responses import DeploymentView, StoredSecret

_OF_A_DEPLOYMENT = (
    "getDeployment",
    "getReport",
    "getHandoff",
    "abortDeployment",
    "approveDeployment",
    "resumeDeployment",
)
_OF_AN_ENVIRONMENT = ("getEnvironment", "getSecret", "listSecretVersions", "putSecret", "patchSecret", "rollBackSecret")


def links_of(kind: type[object]) -> dict[str, Any]:
    """The links of a good answer with a body of this type, by the operation that they lead to; {} for none."""
    if kind is DeploymentView:
        return _links(_OF_A_DEPLOYMENT, "id", "id") | _links(_OF_AN_ENVIRONMENT, "name", "environment")
    if kind is StoredSecret:
        return _links(_OF_AN_ENVIRONMENT, "name", "environment")
    return {}


def _links(operations: tuple[str, ...], parameter: str, field: str) -> dict[str, Any]:
    return {
        operation: {"operationId": operation, "parameters": {parameter: f"$response.body#/{field}"}}
        for operation in operations
    }
