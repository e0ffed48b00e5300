"""Which target a deployment has: that of its environment, which cannot move while it exists there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.model import Environment
from chalicelib.domain.settings import Settings
from chalicelib.domain.targets import Target


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
        return replace(config, target=environment.target)
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
