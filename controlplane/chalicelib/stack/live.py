"""What of the stack belongs to the release that users have, and what to the candidate.

A stack holds both while a release is checked: the users' stage keeps its snapshot of the API and its limits, the
candidate's stage has the new ones. Three states of one stack follow from that: the candidate's (deploy_stack), the
released one (apply_settings) and that of an earlier release (restore_settings).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.aws.stacks import Stack, StackResource
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.model import Release

from . import template

_SNAPSHOT_OUTPUT = "Snapshot"

Pairs = Mapping[str, tuple[str, str]]
"""(value now, value wanted) by name."""


@dataclass(frozen=True, slots=True)
class StackState:
    """snapshot: logical id of the users' API deployment. parameters: None keeps the stack's value."""

    snapshot: str
    parameters: Mapping[str, str | None]


def snapshot_of(release: Release | None, stack: Stack, owned: Iterable[StackResource]) -> str:
    """The logical id of the API deployment that `release` has in `stack`; "" when the stack has none of it.

    Without one on the release's record it is in the stack's output; in a stack of an earlier version of the control
    plane it is the only API deployment. owned: the stack's resources.
    """
    existing = [resource.logical_id for resource in owned if resource.resource_type == template.SNAPSHOT_TYPE]
    if release and release.snapshot:
        return release.snapshot if release.snapshot in existing else ""
    output = stack.outputs.get(_SNAPSHOT_OUTPUT, "")
    if output in existing:
        return output
    return existing[0] if len(existing) == 1 else ""


def felt(release: Release, stack: Stack) -> dict[str, str]:
    """The parameters that users feel, as the release has them: recorded with it, or derived from its configuration."""
    config = decode_lenient(Config, dict(release.config))
    derived = template.restorable(config) | template.lasting(config, stack.parameters.get("ResponseMode", ""))
    values = {**(derived if release.config else stack.parameters), **release.parameters}
    return {name: values[name] for name in template.FELT if name in values}


def recorded(release: Release, stack: Stack, declared: Iterable[str]) -> dict[str, str | None]:
    """All `declared` parameters as they were with the release; None for those of code and function settings, which a
    stack update leaves alone, and for those that the record lacks."""
    config = decode_lenient(Config, dict(release.config))
    mode = stack.parameters.get("ResponseMode", "")
    derived = template.restorable(config) | template.candidates(config) | template.lasting(config, mode)
    values: dict[str, str | None] = {**(derived if release.config else {}), **release.parameters}
    kept = template.CREATION_ONLY
    values |= {name: stack.parameters.get(name, "") for name in ("Repair", "RoleMark")}
    return {name: None if name in kept else values.get(name) for name in declared}


def differing(stack: Stack, wanted: StackState, protected: bool) -> Pairs:
    """(value now, value wanted) by name of each parameter that would change, of `Snapshot`, `CandidateSnapshot` and
    `protected`. protected: whether the stack shall have deletion protection."""
    snapshots = dict.fromkeys((_SNAPSHOT_OUTPUT, "CandidateSnapshot"), wanted.snapshot)
    now = {**stack.outputs, **stack.parameters, "protected": str(stack.protected).lower()}
    values = {**wanted.parameters, **snapshots, "protected": str(protected).lower()}
    return {
        name: (now.get(name, ""), value)
        for name, value in values.items()
        if value is not None and name not in template.INCIDENTAL and now.get(name, "") != value
    }


def needs_update(pairs: Pairs) -> bool:
    """Whether CloudFormation has something to do for what `differing` answers: protection is a call of its own."""
    return bool(set(pairs) - {"protected"})


def described(pairs: Pairs) -> str:
    """`ThrottleRate 120 -> 100, …`; "" for no pairs."""
    return ", ".join(f"{name} {now or 'none'} -> {then or 'none'}" for name, (now, then) in pairs.items())
