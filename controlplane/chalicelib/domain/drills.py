"""A drill: an environment that lives for an hour is rolled, broken, updated and removed, to see that all of it works.

Drills are kept on record under the environment `drill`, which has a lock and a history and no stack: so there is one
drill at a time, and the environment that serves as the template is neither locked nor touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.config import Config

DRILL_RECORD_ENVIRONMENT = "drill"
CALLER = "proxyctl-drill"
PARTS = ("deploy", "broken", "update", "cleanup")
# The sweeper takes away what an interrupted drill leaves at once; should that fail, then when this is over.
TTL_HOURS = 4.0
EPHEMERAL = re.compile(r"drill-[0-9a-f]{6}")
_MORE_MB = 64
# What a drill's options hand on to every deployment of its own.
_HANDED_ON = ("load", "slo", "bake", "max_cost_usd", "usd_per_million_tokens")


def ephemeral_environment(deployment_id: str) -> str:
    """The environment of this drill: `drill-<6 hex>`. deployment_id: `d-<hex>`."""
    return f"{DRILL_RECORD_ENVIRONMENT}-{deployment_id.removeprefix('d-')[:6]}"


def body(
    part: str, environment: str, template: Mapping[str, Any], secret_arn: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    """What POST /deployments would be sent for this part. template: the configuration of the template's live release;
    options: the drill's own, as plain JSON."""
    handed_on = {name: options[name] for name in _HANDED_ON}
    asked: dict[str, Any] = {"environment": environment, "action": "cleanup" if part == "cleanup" else "deploy"}
    reason = {"reason": f"drill: {part}"}
    if part == "cleanup":
        # In line behind what an interrupted drill had begun.
        return asked | {"options": {**reason, "remove_secret": True, "secret_recovery_days": 0, "if_busy": "wait"}}
    # Its own alarms tell nobody, and it holds back no capacity from others.
    config = {
        **template,
        "secret_arn": secret_arn,
        "notify": [],
        "webhook": None,
        "protected": False,
        "reserved_concurrency": None,
        "ttl_hours": None,
    }
    if part == "update":
        memory = int(config.get("memory_mb", Config().memory_mb))
        config["memory_mb"] = memory + _MORE_MB if memory + _MORE_MB <= 10_240 else memory - _MORE_MB
    given = {**handed_on, **reason, "ttl_hours": TTL_HOURS}
    return asked | {"config": config, "options": given | ({"sabotage": "answers_500"} if part == "broken" else {})}


def key(deployment_id: str, part: str) -> str:
    """The idempotency key of a part's deployment: whoever starts it, there is one."""
    return f"{deployment_id}-{part}"


def clean_up_of(deployment_id: str) -> dict[str, Any]:
    """What removes the environment of this drill."""
    return body("cleanup", ephemeral_environment(deployment_id), {}, "", dict.fromkeys(_HANDED_ON))
