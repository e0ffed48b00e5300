"""How the document names its schemas."""

from __future__ import annotations

from typing import Any

TEMPLATE = "#/components/schemas/{name}"
GATEWAY_REFUSAL = "GatewayRefusal"


def reference(name: str) -> dict[str, Any]:
    """A reference to one of the schemas."""
    return {"$ref": TEMPLATE.format(name=name)}
