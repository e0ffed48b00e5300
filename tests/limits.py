"""Every request that a test sends with botocore is held against AWS's own limits, whatever answers it."""

from __future__ import annotations

from typing import Any

import botocore.handlers

from local.recording import request_limits


class RequestRefused(Exception):
    """AWS would refuse this request, although what the test talks to may take it."""


def check(params: dict[str, Any], model: Any, **_: Any) -> None:
    """Raises RequestRefused naming each parameter at fault."""
    beyond = list(request_limits.violations(model.input_shape, params))
    if beyond:
        raise RequestRefused(f"{model.service_model.service_name}:{model.name}: {'; '.join(beyond)}")


def install() -> None:
    """For every client that this process makes from now on."""
    handler = ("before-parameter-build", check)
    if handler not in botocore.handlers.BUILTIN_HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append(handler)
