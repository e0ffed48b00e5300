"""A drill: an environment that lives for an hour is rolled, broken, updated and removed, to see that all of it works.

Drills are kept on record under the environment `drill`, which has a lock and a history and no stack: so there is one
drill at a time, and the environment that serves as the template is neither locked nor touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .config import Config, Options
from .fingerprints import fingerprint
from .release import Wanted

HALL = "drill"
CALLER = "proxyctl-drill"
PARTS = ("deploy", "broken", "update", "cleanup")
# The sweeper takes away what an interrupted drill leaves at once; should that fail, then when this is over.
TTL_HOURS = 4.0
_EPHEMERAL = re.compile(r"drill-[0-9a-f]{6}")
_PHASES = 12
_MORE_MB = 64
# What a drill's options hand on to every deployment of its own.
_HANDED_ON = ("load", "slo", "bake", "max_cost_usd", "usd_per_million_tokens")


def ephemeral(deployment_id: str) -> str:
    """The environment of this drill: `drill-<6 hex>`. deployment_id: `d-<hex>`."""
    return f"{HALL}-{deployment_id.removeprefix('d-')[:6]}"


def sabotaged(environment: str, options: Options) -> bool:
    """Whether a release is to be broken on purpose: in an environment that a drill made, and nowhere else."""
    return options.sabotage is not None and bool(_EPHEMERAL.fullmatch(environment))


def broken(release: Wanted) -> Wanted:
    """The same release with a setting that no number is: the proxy refuses to start, as it would with anybody's typing
    error, and the gateway answers 5xx for it. Having never run, it rings no alarm that watches users."""
    environment = {**release.environment, "SECRET_TTL_S": "broken by a drill"}
    return replace(release, environment=environment, fingerprint=fingerprint(release.fingerprint, environment))


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
    return body("cleanup", ephemeral(deployment_id), {}, "", dict.fromkeys(_HANDED_ON))


@dataclass(frozen=True, slots=True)
class Seen:
    """How a part ended. phases: status of the twelve by name; live: the version on record as live afterwards, alias:
    where the live alias really points ("" when there is none); before: the live version before this part;
    left: what clean_up found left, None when it did not look."""

    status: str
    phases: Mapping[str, str] = field(default_factory=dict)
    live: str = ""
    alias: str = ""
    before: str = ""
    left: int | None = None


def problem(part: str, seen: Seen) -> str:
    """What did not end as it must; "" when all did."""
    must = "ROLLED_BACK" if part == "broken" else "SUCCEEDED"
    if seen.status != must:
        return f"it ended {seen.status}, not {must}"
    if part == "deploy":
        short = _PHASES - sum(status == "SUCCEEDED" for status in seen.phases.values())
        return f"{short} of the twelve phases did not run to a good end" if short else ""
    if part == "broken" and (seen.alias, seen.live) != (seen.before, seen.before):
        return f"live went from version {seen.before} to {seen.alias or 'nowhere'}: the broken release reached users"
    if part == "update" and (seen.live == seen.before or seen.alias != seen.live):
        return (
            f"live is version {seen.alias or 'none'}, as before the update"
            if seen.live == seen.before
            else (f"the live alias is on version {seen.alias or 'none'}, the record says {seen.live}")
        )
    if part == "cleanup" and seen.left != 0:
        return "clean_up has not proved that nothing is left"
    return ""


def following(part: str, why: str) -> str:
    """The next part, "" after the last. Whatever went wrong, what was made is removed."""
    if why and part != "cleanup":
        return "cleanup"
    rest = PARTS[PARTS.index(part) + 1 :]
    return rest[0] if rest else ""
