"""Compares the settings of a release with the stack and the alarms as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.aws.alarms import Alarm, AlarmState
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.config import Config
from chalicelib.domain.model import Environment, Release
from chalicelib.stack import template

Pairs = Mapping[str, tuple[str, str]]
"""(value now, value of the release) by stack parameter."""


def release_with_config(environment: Environment, version: str) -> Release | None:
    """The good release of that version; None when there is none, or its configuration is not on record."""
    return next((release for release in environment.good if release.version == version and release.config), None)


def restorable(config: Config, stack: Stack) -> Pairs:
    """Parameters that differ and that a stack update changes in place."""
    return _differing(template.restorable(config), stack)


def lasting(config: Config, stack: Stack) -> Pairs:
    """Parameters that differ and that only a deploy changes."""
    return _differing(template.lasting(config, stack.parameters.get("ResponseMode", "")), stack)


def _differing(values: Mapping[str, str], stack: Stack) -> Pairs:
    return {
        name: (stack.parameters[name], value)
        for name, value in values.items()
        if name in stack.parameters and stack.parameters[name] != value
    }


def parameters(stack: Stack, differs: Pairs) -> dict[str, str | None]:
    """All parameters for the update; None keeps the stack's value."""
    return {**dict.fromkeys(stack.parameters), **{name: value for name, (_, value) in differs.items()}}


def changed_alarms(wanted: Iterable[Alarm], existing: Iterable[AlarmState]) -> Sequence[Alarm]:
    """Those of `wanted` that do not exist as they are wanted."""
    defined = {state.name: state.definition for state in existing}
    return [alarm for alarm in wanted if defined.get(alarm.name) != _comparable(alarm, defined.get(alarm.name))]


def _comparable(wanted: Alarm, existing: Alarm | None) -> Alarm:
    """`wanted` without its metric math where the existing alarm has none: the embedded cloud does not return it."""
    if existing is None or existing.metrics:
        return wanted
    return replace(wanted, metrics=existing.metrics, expression=existing.expression)


def described(pairs: Pairs) -> str:
    """`ThrottleRate 120 -> 100, …`; "" for no pairs."""
    return ", ".join(f"{name} {now or 'none'} -> {then or 'none'}" for name, (now, then) in pairs.items())
