"""What must hold after a fault, whatever it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.domain.model import DeploymentStatus, PhaseStatus

from tests.fakes import FakeAws
from tests.faults.drive import Ended
from tests.faults.injection import Fault

State = Mapping[str, Any]
_RECORDS = "records"  # of the deployment itself: they differ after the next one


def state_of(fake: FakeAws) -> State:
    """What stands in AWS and matters afterwards, as plain values."""
    functions, standing, deployments = fake.functions, fake.stacks.standing, fake.records.started
    return {
        "aliases": {name: dict(aliases) for name, aliases in functions.pointed.items() if name in functions.latest},
        "function": {name: (config.code_sha256, config.memory_mb, config.timeout_s, dict(config.environment))
                     for name, config in fake.functions.latest.items() if config},
        "versions": {name: len(versions) for name, versions in fake.functions.published.items()},
        "secrets": {name: dict(kept.info.stages) for name, kept in getattr(fake.secrets, "kept", {}).items()},
        "stacks": {name: (stack.status, dict(stack.parameters), stack.protected) for name, stack in standing.items()},
        "change sets": sorted(fake.stacks.planned),
        "alarms": {name: dataclasses.replace(alarm) for name, alarm in fake.alarms.defined.items()},
        "ringing": sorted(name for name, state in fake.alarms.states.items() if state == "ALARM"),
        "topics": {name: dict(who) for name, who in fake.topics.kept.items()},
        "queues": sorted(fake.topics.queues),
        "log groups": dict(fake.logs.kept),
        "objects": sorted(key for key in fake.artifacts.objects if not any(name in key for name in deployments)),
        "boundaries": dict(fake.identity.boundaries),
        _RECORDS: {name: deployment.status.value for name, deployment in deployments.items()},
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
        yield from differences(whole, after, "")
    yield from (f"an ending failed: {type(error).__name__}: {error}" for error in ended.endings)


def differences(whole: State, after: State, when: str) -> Iterator[str]:
    """Each part that is not as it is after a run without faults."""
    parts = [what for what in whole if not (when and what == _RECORDS)]
    yield from (f"{what}{when}: {after[what]} instead of {whole[what]}" for what in parts if after[what] != whole[what])


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


def unrecorded(fake: FakeAws, ended: Ended, misplaced: Sequence[str], deployment_id: str) -> Iterator[str]:
    """What the records say otherwise than it is: lock, end, error, phases, where users are.

    misplaced: what `lost_users` said before the deployment: a revalidation does not repair before it has looked.
    """
    deployment = fake.records.deployment(deployment_id)
    environment = fake.records.environment(deployment.environment)
    if not deployment.status.is_final:
        held = environment.lock is not None and environment.lock.deployment_id == deployment_id
        if ended.error is not None or not held:
            yield f"{deployment_id} is {deployment.status} and holds the lock: {held}"
        return
    if environment.lock is not None:
        yield f"{deployment_id} has ended {deployment.status} and left the lock {environment.lock}"
    records = fake.records.phases(deployment_id)
    running = [phase.name for phase in records if phase.status is PhaseStatus.RUNNING]
    if running:
        yield f"{deployment_id} has ended, and on record {running} runs"
    reported = deployment.error or {}
    fails = ended.error is not None and deployment.status is not DeploymentStatus.SUCCEEDED
    if fails and not (reported.get("code") and reported.get("message") and reported.get("remedy")):
        yield f"the error on record names no cause or no remedy: {dict(reported)}"
    yield from (each for each in lost_users(fake) if each not in misplaced)


def lost_users(fake: FakeAws, name: str = "dev") -> Iterator[str]:
    """Users on a version that is not on record as the live one, once nothing runs."""
    live = fake.records.environment(name).live
    function = f"proxyctl-{name}-proxy"
    if live is None or function not in fake.functions.latest:
        return
    alias = fake.functions.pointed[function].get("live")
    if alias is None or alias.version != live.version or alias.weights:
        yield f"users are on {alias}, on record is {live.version}"


def unhealed(after: State, whole: State, ended: Ended) -> Iterator[str]:
    """What does not hold after the next deployment, which meets no fault."""
    if ended.error is not None:
        yield f"the next deployment fails: {type(ended.error).__name__}: {ended.error}"
        return
    yield from differences(whole, after, " after the next")
