"""An imported API keeps its gateway responses, as on AWS: MiniStack reads methods and authorizers of a body only.

Source: API Gateway developer guide, `x-amazon-apigateway-gateway-responses` object.
"""

from collections.abc import Mapping
from typing import Any

_EXTENSION = "x-amazon-apigateway-gateway-responses"


def install(gateway: Any) -> None:
    """Patch MiniStack's module `services.apigateway_v1`."""
    original = gateway._import_rest_api

    def import_rest_api(spec: Mapping[str, Any], base_data: Mapping[str, Any] | None = None) -> str:
        api_id: str = original(spec, base_data)
        for kind, response in spec.get(_EXTENSION, {}).items():
            status, _, body = gateway._put_gateway_response(api_id, kind, response)
            if status >= 400:
                raise ValueError(f"gateway response {kind}: {body!r}")
        return api_id

    gateway._import_rest_api = import_rest_api
