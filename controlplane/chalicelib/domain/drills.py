"""A drill: a temporary environment is deployed, broken, updated and removed, to prove that all of it works.

Drills are recorded under the environment `drill`, which has a lock and a history and no stack. So there is one drill at
a time, and the environment that serves as the template is neither locked nor changed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from .codec import decode_lenient
from .config import Config

DRILL_RECORD_ENVIRONMENT = "drill"
CALLER = "proxyctl-drill"
PARTS = ("deploy", "broken", "update", "cleanup")
# The sweeper removes at once what an interrupted drill leaves; should that fail, then after this time.
TTL_HOURS = 4.0
EPHEMERAL = re.compile(r"drill-[0-9a-f]{6}")
_MORE_MB = 64
_MAX_MB = 10_240  # of a Lambda function
# Options of the drill that all of its deployments share.
_SHARED_OPTIONS = ("load", "slo", "bake", "max_cost_usd", "usd_per_million_tokens")
# Settings of the template that the copy must not have: it notifies nobody and reserves no capacity.
_OWN_CONFIG: Mapping[str, object] = {
    "notify": [],
    "webhook": None,
    "protected": False,
    "reserved_concurrency": None,
    "ttl_hours": None,
}

Body = dict[str, object]


def ephemeral_environment(deployment_id: str) -> str:
    """The environment of this drill: `drill-<6 hex>`. deployment_id: `d-<hex>`."""
    return f"{DRILL_RECORD_ENVIRONMENT}-{deployment_id.removeprefix('d-')[:6]}"


def deploy(
    part: str, environment: str, template: Mapping[str, object], secret_arn: str, options: Mapping[str, object]
) -> Body:
    """The body of POST /deployments for a part that deploys.

    template: recorded configuration of the template's live release. secret_arn: of its secret, which the copy reads,
    too. options: the drill's own, as plain JSON.
    """
    shared = {name: options[name] for name in _SHARED_OPTIONS}
    sabotage = {"sabotage": "answers_500"} if part == "broken" else {}
    return {
        "environment": environment,
        "action": "deploy",
        "config": _config(part, template, secret_arn),
        "replace": True,
        "create": True,
        "options": {**shared, "reason": _reason(part), "ttl_hours": TTL_HOURS, **sabotage},
    }


def _config(part: str, template: Mapping[str, object], secret_arn: str) -> Body:
    # The release may have been recorded by another version of the control plane; the API refuses unknown fields.
    readable = decode_lenient(Config, template)
    config: Body = {**dataclasses.asdict(readable), "secret_arn": secret_arn, **_OWN_CONFIG}
    if part == "update":
        config["memory_mb"] = _other_memory(readable.memory_mb)
    return config


def _other_memory(memory_mb: int) -> int:
    """A little more, or a little less at Lambda's limit."""
    return memory_mb + _MORE_MB if memory_mb + _MORE_MB <= _MAX_MB else memory_mb - _MORE_MB


def _reason(part: str) -> str:
    return f"drill: {part}"


def clean_up_of(deployment_id: str) -> Body:
    """The body that removes this drill's environment; it waits in the queue behind what an interrupted drill began."""
    options = {"reason": _reason("cleanup"), "remove_secret": True, "secret_recovery_days": 0, "if_busy": "wait"}
    return {"environment": ephemeral_environment(deployment_id), "action": "cleanup", "options": options}


def key(deployment_id: str, part: str) -> str:
    """The idempotency key of a part's deployment: there is one, whoever starts it."""
    return f"{deployment_id}-{part}"
