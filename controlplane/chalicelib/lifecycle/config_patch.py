"""A request's `config` changes the fields that it names; all others stay as the environment has them.

The target cannot move while the environment exists there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from chalicelib.domain.aws import targets
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.codec import decode, decode_lenient, refuse_unknown, unknown_part
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.model import Environment, Evidence, Release
from chalicelib.domain.settings import Settings

Patch = Mapping[str, object]


def patched(patch: Patch, release: Release | None, *, replaces: bool) -> tuple[Config, Evidence]:
    """The configuration of a deployment, and the fields of another version of the control plane that stay on record.

    patch: `config` of the request's body, {} without one; a field that is null gets its default, an object (throttle,
    alarms, …) is patched in turn, a list is replaced. release: the environment's last good one, None before the first.
    replaces: start from the defaults instead of from `release`. Raises BadRequest naming the field.
    """
    recorded = release.config if release and not replaces else {}
    base = decode_lenient(Config, dict(recorded))
    unknown = unknown_part(Config, recorded)
    if not patch:
        return base, unknown
    refuse_unknown(Config, patch, under="config")
    return decode(Config, _merge(dataclasses.asdict(base), patch), under="config"), unknown


def _merge(base: Mapping[str, object], patch: Patch) -> dict[str, object]:
    merged = dict(base)
    for name, value in patch.items():
        before = merged.pop(name, None)
        if isinstance(value, Mapping):
            merged[name] = _merge(before if isinstance(before, Mapping) else {}, value)
        elif value is not None:
            merged[name] = value
    return merged


def without_nulls(patch: Patch) -> dict[str, object]:
    """The patch without the fields that it resets, at any depth: what the schema of `Config` accepts."""
    kept = {name: value for name, value in patch.items() if value is not None}
    return {name: without_nulls(value) if isinstance(value, Mapping) else value for name, value in kept.items()}


def with_target(
    config: Config, patch: Mapping[str, object], environment: Environment, home: Settings, *, replaces: bool
) -> Config:
    """The configuration with the environment's target, unless the request names one for an environment that is new.

    patch: `config` of the request. home: the control plane's own settings. replaces: the request names every field, so
    that a missing target means the control plane's own account and region.
    Raises BadRequest for a target that the control plane cannot have, Conflict (TargetFixed) for another place than
    the one where the environment exists.
    """
    if environment.has_resources and not (replaces or "target" in patch):
        return dataclasses.replace(config, target=environment.target)
    if config.target:
        refuse_impossible(config.target, home)
    refuse_elsewhere(config.target, environment)
    return config


def refuse_elsewhere(target: Target | None, environment: Environment) -> None:
    """Raises Conflict (TargetFixed) for another place than the one where the environment exists."""
    if environment.has_resources and place_of(target) != place_of(environment.target):
        raise _fixed(environment)


def place_of(target: Target | None) -> tuple[str, str] | None:
    """Account and region of a target; None for the control plane's own."""
    return target.place if target else None


def refuse_impossible(target: Target, home: Settings) -> None:
    """Raises BadRequest for a target that a control plane with these settings cannot have."""
    if refused := targets.refusal(target):
        field = f"config.target.{refused[0]}"
        raise BadRequest(f"{field} {refused[1]}", field=field, remedy=targets.REMEDY)
    if target.partition != home.partition:
        raise BadRequest(
            f"config.target.role_arn is in partition {target.partition}, the control plane in {home.partition}; no "
            "role of one partition can assume a role of another",
            field="config.target.role_arn",
            remedy=f"Install a control plane in partition {target.partition}: bootstrap.py up.",
        )
    if target.place == (home.account, home.region):
        raise BadRequest(
            f"config.target is the control plane's own {target}",
            field="config.target",
            remedy="Leave config.target out: an environment without one is there.",
        )


def _fixed(environment: Environment) -> Conflict:
    there = str(environment.target) if environment.target else "the control plane's own account and region"
    return Conflict(
        f"environment {environment.name} exists in {there}, and cannot move",
        code="TargetFixed",
        field="config.target",
        remedy=f"Clean it up there first (POST /deployments with action cleanup, environment {environment.name}), or "
        "give the environment in the other place another name.",
    )
