"""Every night each environment that serves users is checked again. One that is busy or broken stops no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.model import Action
from ..errors import RolloutError
from ..ports import Aws
from .answers import Clock
from .starting import begin

_CALLER = "proxyctl-nightly"


def start_all(event: Mapping[str, Any], aws: Aws, clock: Clock) -> dict[str, Any]:
    """Answers `{started: {environment: deployment id}, not_started: {environment: why}}`.

    Scheduler delivers at least once: the key is made from the date that it was due and the environment.
    """
    day = str(event.get("scheduled_at") or clock().isoformat())[:10]
    started: dict[str, str] = {}
    not_started: dict[str, str] = {}
    for environment in aws.records.environments():
        if environment.live is None:
            continue
        asked = {"environment": environment.name, "action": Action.REVALIDATE.value}
        try:
            key = f"nightly-{day}-{environment.name}"
            started[environment.name] = begin(asked, aws, clock, caller=_CALLER, key=key).id
        except RolloutError as error:
            not_started[environment.name] = error.message
    return {"started": started, "not_started": not_started}
