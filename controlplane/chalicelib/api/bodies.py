"""Answers' bodies as JSON values."""

from __future__ import annotations

from typing import Any

import msgspec

from .responses import DeploymentPage, DeploymentView, SecretView, StoredSecret


def body_of(body: object) -> object:
    """A body of `responses` as JSON values; text and JSON values as they are."""
    plain: Any = msgspec.json.decode(msgspec.json.encode(body))
    if isinstance(body, DeploymentView | StoredSecret | SecretView):
        return _without_absent(plain)
    if isinstance(body, DeploymentPage):
        return plain | {"deployments": [_untraced(_without_absent(row)) for row in plain["deployments"]]}
    return plain


def _without_absent(fields: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that are None, at the top only: null in `config` and `options` says that a rule is off."""
    return {name: value for name, value in fields.items() if value is not None}


def _untraced(row: dict[str, Any]) -> dict[str, Any]:
    """Without the times of the requests of its load test: 10,000 numbers a deployment, which `show` answers."""
    return row | {"options": row["options"] | {"load": row["options"]["load"] | {"trace": []}}}
