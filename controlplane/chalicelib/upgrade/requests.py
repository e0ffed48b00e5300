"""Rewrites `POST /deployments {"target": "controlplane", "bundle": …}`: the control plane rolls itself.

An upgrade is recorded under the environment `controlplane`, which has a lock and a history and no stack of its own, so
that there is one upgrade at a time, and no environment is locked by it.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action

from .releases import check_key

RECORD_ENVIRONMENT = "controlplane"
_TARGET = "target"
_FIELDS = (_TARGET, "bundle", "force", "reason")


def rewrite(body: Mapping[str, object]) -> Mapping[str, object]:
    """The body to begin with. Raises BadRequest for a wrong target, field or bundle, and for what only this makes."""
    if _TARGET not in body:
        _refuse_reserved(body)
        return body
    if body[_TARGET] != RECORD_ENVIRONMENT:
        raise BadRequest(
            f"target is {str(body[_TARGET])[:40]!r}; the only one is {RECORD_ENVIRONMENT!r}",
            field=_TARGET,
            remedy="To deploy an environment, name it in `environment`.",
        )
    unknown = sorted(set(body) - set(_FIELDS))
    if unknown:
        raise BadRequest(
            f"unknown field {unknown[0]!r} for target {RECORD_ENVIRONMENT}",
            field=unknown[0],
            remedy=f"It takes {', '.join(_FIELDS)}.",
        )
    options: dict[str, object] = {"bundle": check_key(body.get("bundle"))}
    options |= {name: body[name] for name in ("force", "reason") if name in body}
    return {"environment": RECORD_ENVIRONMENT, "action": Action.UPGRADE.value, "create": True, "options": options}


def _refuse_reserved(body: Mapping[str, object]) -> None:
    options = body.get("options")
    internal = isinstance(options, dict) and "bundle" in options
    if internal or body.get("action") == Action.UPGRADE.value or body.get("environment") == RECORD_ENVIRONMENT:
        field = "options.bundle" if internal else "environment"
        raise BadRequest(
            f"{field}: the control plane is upgraded with target {RECORD_ENVIRONMENT!r} and a bundle",
            field=field,
            remedy="python3 bootstrap.py upgrade uploads a release and starts it.",
        )
