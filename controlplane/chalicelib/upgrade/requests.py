"""Rewrites `POST /deployments {"target": "controlplane", "bundle": …}`: the control plane rolls itself.

An upgrade is recorded under the environment `controlplane`, which has a lock and a history and no stack of its own, so
that there is one upgrade at a time, and no environment is locked by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.codec import decode
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Action

from .releases import check_key

RECORD_ENVIRONMENT = "controlplane"
_TARGET = "target"


@dataclass(frozen=True, slots=True)
class UpgradeStart:
    """The body of POST /deployments that rolls the control plane itself.

    bundle: key of the release's manifest, which `bootstrap.py upgrade` uploads. force: also to a release that is older
    than what serves. reason: on record with the deployment.
    """

    target: Literal["controlplane"]
    bundle: str
    force: bool = False
    reason: str = ""


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
    start = decode(UpgradeStart, body)
    options = {"bundle": check_key(start.bundle), "force": start.force, "reason": start.reason}
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
