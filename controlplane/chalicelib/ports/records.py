"""All records: deployments, their phases and events, environments and their locks (DynamoDB)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.domain.model import (
    Applied,
    Deployment,
    DeploymentStatus,
    Environment,
    EnvironmentPage,
    Lock,
    Page,
    PhaseRecord,
)
from chalicelib.domain.records import Claim, Ending, Incident


class Records(Protocol):
    """Writes are conditional, so that a concurrent change is never overwritten silently."""

    def start(self, deployment: Deployment, lock: Lock, claim: Claim | None, takes_over: Lock | None) -> None:
        """Write deployment, lock and claim in one transaction.

        Raises Conflict: with `holder` when another deployment than `takes_over` holds the lock, with `claimed_by` and
        `body_sha256` when the key was used before.
        """
        ...

    def enqueue(self, deployment: Deployment, claim: Claim | None) -> None:
        """Write deployment, claim and a place in the queue, without a lock. Raises Conflict as `start`."""
        ...

    def claimed(self, key: str) -> Claim | None:
        """What was claimed under this Idempotency-Key; None when it is free."""
        ...

    def claim(self, claim: Claim, subject: str, at: str) -> None:
        """Claim a key for something that is no deployment. Raises Conflict when it was used before."""
        ...

    def next_in_line(self, environment: str) -> Deployment | None:
        """The deployment that has waited longest; None when the queue is empty. Reads two items, however long the queue
        is."""
        ...

    def take_turn(self, deployment: Deployment, lock: Lock) -> None:
        """Move it from the queue to the lock, in one transaction. Raises Conflict when the environment is locked, or
        the deployment no longer waits."""
        ...

    def leave_line(self, deployment: Deployment, changes: Mapping[str, Any]) -> None:
        """Set these attributes and leave the queue, in one transaction. Raises Conflict when it no longer waits."""
        ...

    def deployment(self, deployment_id: str) -> Deployment:
        """Raises NotFound."""
        ...

    def deployments(
        self, environment: str | None, status: DeploymentStatus | None, limit: int, cursor: str | None
    ) -> Page:
        """Newest first. With both filters, a page that is not the last may hold fewer than `limit`, or none."""
        ...

    def update_deployment(self, deployment_id: str, changes: Mapping[str, Any]) -> None:
        """Set these attributes of a deployment that is not final yet; raises Conflict when it is."""
        ...

    def end(self, deployment: Deployment, ending: Ending) -> None:
        """Outcome, event, environment, history and the lock's release in one transaction: all of it, or nothing.

        Raises Conflict when the deployment has ended already, Aborted under `unless_aborted`, and LockLost when another
        deployment, or another execution of this one, holds the environment; then nothing was written.
        """
        ...

    def end_without(self, deployment: Deployment, ending: Ending) -> None:
        """As `end`, for a deployment that lost its environment: nothing is written to that. Raises Conflict."""
        ...

    def phases(self, deployment_id: str) -> Sequence[PhaseRecord]:
        """In order of their numbers; the steps beside the phases (number 0) come first."""
        ...

    def put_phase(self, deployment_id: str, phase: PhaseRecord) -> None: ...

    def put_phase_as(self, name: str, lock: Lock, phase: PhaseRecord) -> None:
        """Write the record of a phase and renew the lease of environment `name`, in one transaction, while the lock's
        execution holds that. Raises LockLost, and Conflict (PhaseDone) when the phase is done on record; then it writes
        nothing."""
        ...

    def skip_phases_as(self, name: str, lock: Lock, phases: Sequence[PhaseRecord]) -> None:
        """Write the records of phases that were skipped together, and an event for each, in one transaction with the
        lease of environment `name`. Raises LockLost, and then writes nothing."""
        ...

    def add_event(self, deployment_id: str, at: str, kind: str, detail: Mapping[str, Any]) -> None: ...

    def event(self, deployment_id: str, key: str) -> Mapping[str, Any]:
        """One event by its sort key. Raises NotFound."""
        ...

    def events(self, deployment_id: str) -> Sequence[Mapping[str, Any]]: ...

    def environment(self, name: str) -> Environment:
        """An environment that has no record is NEW."""
        ...

    def environments(self) -> Iterator[Environment]:
        """All of them by name, read a few at a time as they are used."""
        ...

    def environment_page(self, limit: int, cursor: str | None) -> EnvironmentPage: ...

    def environment_names(self) -> Sequence[str]:
        """All names, sorted, without their records."""
        ...

    def update_environment(self, name: str, changes: Mapping[str, Any], *, holder: str | None = None) -> None:
        """Set these attributes; with `holder`, only while that deployment holds the lock (else LockLost)."""
        ...

    def set_applied(self, name: str, phase: str, applied: Applied | None, *, holder: str) -> None:
        """Store, or with None delete, what a phase applied. Raises LockLost."""
        ...

    def renew_lock(self, name: str, lock: Lock, *, takes_over: bool = False) -> None:
        """Extend the lease of a lock that this execution holds; with `takes_over`, that any execution of the same
        deployment holds. Raises LockLost."""
        ...

    def take_lock_again(self, name: str, lock: Lock) -> None:
        """Take the lock of an environment whose record was rebuilt; nothing happens when another deployment has it."""
        ...

    def release_lock(self, name: str, holder: str) -> None:
        """Nothing happens when another deployment, or none, holds it."""
        ...

    def add_history(self, name: str, at: str, entry: Mapping[str, Any]) -> None:
        """An entry that no deployment writes. at: ISO 8601."""
        ...

    def history(self, name: str, limit: int) -> Sequence[Mapping[str, Any]]:
        """Newest first."""
        ...

    def history_page(self, name: str, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """Newest first, and the cursor of the next page."""
        ...

    def history_between(self, name: str, first: str, last: str, limit: int) -> Sequence[Mapping[str, Any]]:
        """Newest first, from one time to the other (ISO 8601), both included; `last` "" has no end."""
        ...

    def record_incident(self, name: str, incident: Incident) -> None:
        """Record its beginning, or its end. Repeated, it changes nothing."""
        ...

    def incident_page(self, name: str, limit: int, cursor: str | None) -> tuple[Sequence[Incident], str | None]:
        """Newest first, and the cursor of the next page."""
        ...

    def incident(self, name: str, opened_by: str) -> Incident | None:
        """The incident that this deployment opened."""
        ...

    def history_since(self, name: str, at: str) -> Sequence[Mapping[str, Any]]:
        """Newest first, from that time on, with only the attributes that the DORA metrics need."""
        ...
