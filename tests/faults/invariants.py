"""What must hold after a fault, whatever it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.errors import RolloutError, Throttled

from tests.fakes import FakeAws
from tests.faults.drive import Ended
from tests.faults.injection import Fault

State = Mapping[str, Any]


def state_of(fake: FakeAws) -> State:
    """What stands in AWS and matters afterwards, as plain values."""
    functions, standing = fake.functions, fake.stacks.standing
    return {
        "aliases": {name: dict(aliases) for name, aliases in functions.pointed.items() if name in functions.latest},
        "function": {name: (config.code_sha256, config.memory_mb, config.timeout_s, dict(config.environment))
                     for name, config in fake.functions.latest.items()},
        "versions": {name: len(versions) for name, versions in fake.functions.published.items()},
        "secrets": {name: dict(kept.info.stages) for name, kept in getattr(fake.secrets, "kept", {}).items()},
        "stacks": {name: (stack.status, dict(stack.parameters), stack.protected) for name, stack in standing.items()},
        "change sets": sorted(fake.stacks.planned),
        "alarms": {name: dataclasses.replace(alarm) for name, alarm in fake.alarms.defined.items()},
        "topics": {name: dict(who) for name, who in fake.topics.kept.items()},
        "queues": sorted(fake.topics.queues),
        "log groups": dict(fake.logs.kept),
        "objects": sorted(key for key in fake.artifacts.objects if "d-new" not in key and "d-next" not in key),
        "boundaries": dict(fake.identity.boundaries),
    }  # fmt: skip


def users_state(state: State) -> State:
    """What users have: the live alias, the current secret, protection."""
    return {
        "live": {name: aliases.get("live") for name, aliases in state["aliases"].items()},
        "secret": {name: stages.get("AWSCURRENT") for name, stages in state["secrets"].items()},
    }


def broken(before: State, after: State, whole: State, ended: Ended, fault: Fault) -> Iterator[str]:
    """What does not hold right after the fault. whole: the state after a run without faults."""
    if users_state(after) not in (users_state(before), users_state(whole)) and not _on_the_way(before, after, whole):
        yield f"users have neither what they had nor what they should get: {users_state(after)}"
    if fault.transient and ended.error is not None:
        yield f"a passing fault ended the phase: {type(ended.error).__name__}: {ended.error}"
    if fault.transient and ended.error is None:
        yield from (f"{what}: {after[what]} instead of {whole[what]}" for what in whole if after[what] != whole[what])
    if isinstance(ended.error, RolloutError) and not isinstance(ended.error, Throttled):
        if not ended.error.message or not ended.error.remedy:
            yield f"the error names no remedy: {ended.error.as_dict()}"
    elif ended.error is not None and not fault.transient:
        yield f"no error of ours: {type(ended.error).__name__}: {ended.error}"


def _on_the_way(before: State, after: State, whole: State) -> bool:
    """A step of a shift: the alias names versions of both ends only."""
    ends = {
        alias.version
        for state in (before, whole)
        for aliases in state["aliases"].values()
        for alias in aliases.values()
    }
    now = {version for aliases in after["aliases"].values() for alias in aliases.values()
           for version in (alias.version, *(alias.weights or {}))}  # fmt: skip
    return now <= ends


def unhealed(after: State, whole: State, ended: Ended) -> Iterator[str]:
    """What does not hold after the next deployment, which meets no fault."""
    if ended.error is not None:
        yield f"the next deployment fails: {type(ended.error).__name__}: {ended.error}"
        return
    yield from (
        f"{what} after the next: {after[what]} instead of {whole[what]}" for what in whole if after[what] != whole[what]
    )
