"""Every request that a test sends with botocore is held against AWS's own limits, whatever answers it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import botocore.handlers

_SPEC = importlib.util.spec_from_file_location(
    "limits", Path(__file__).resolve().parents[1] / "local" / "recording" / "limits.py"
)
assert _SPEC
assert _SPEC.loader
limits = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(limits)


class RequestRefused(Exception):
    """AWS would refuse this request, although what the test talks to may take it."""


def check(params: dict[str, Any], model: Any, **_: Any) -> None:
    """Raises RequestRefused naming each parameter at fault."""
    found = list(limits.violations(model.input_shape, params))
    if found:
        raise RequestRefused(f"{model.service_model.service_name}:{model.name}: {'; '.join(found)}")


def install() -> None:
    """For every client that this process makes from now on."""
    handler = ("before-parameter-build", check)
    if handler not in botocore.handlers.BUILTIN_HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append(handler)
