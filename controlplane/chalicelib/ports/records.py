"""The record of everything: deployments, their phases and events, environments and their locks (DynamoDB)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chalicelib.domain.model import Applied, Deployment, DeploymentStatus, Environment, Lock, PhaseRecord
from chalicelib.domain.records import Claim, Ending, Page


class Records(Protocol):
    """All writes are conditional: a record that someone else changed in between is never overwritten in silence."""

    def start(self, deployment: Deployment, lock: Lock, claim: Claim | None, takes_over: Lock | None) -> None:
        """Deployment, lock and claim in one transaction.

        Raises Conflict, with evidence {"holder": deployment id} when the environment is locked by another than
        `takes_over`, or {"claimed_by": deployment id, "body_sha256": …} when the key was used before.
        """
        ...

    def enqueue(self, deployment: Deployment, claim: Claim | None) -> None:
        """Deployment, claim and a place in the environment's line, without a lock. Raises Conflict as `start`."""
        ...

    def next_in_line(self, environment: str) -> Deployment | None:
        """The one that has waited longest; None when nobody waits. However long the line or the history is, this reads
        one place of the line and one deployment."""
        ...

    def take_turn(self, deployment: Deployment, lock: Lock) -> None:
        """From the line to the lock, in one transaction. Raises Conflict when someone holds the environment, or it
        waits no more."""
        ...

    def leave_line(self, deployment: Deployment, changes: Mapping[str, Any]) -> None:
        """Set these attributes and give up its place, in one transaction. Raises Conflict when it waits no more."""
        ...

    def deployment(self, deployment_id: str) -> Deployment:
        """Raises NotFound."""
        ...

    def deployments(
        self, environment: str | None, status: DeploymentStatus | None, limit: int, cursor: str | None
    ) -> Page: ...

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
        """In order of their numbers; the five steps beside the phases (number 0) come first."""
        ...

    def put_phase(self, deployment_id: str, phase: PhaseRecord) -> None: ...

    def put_phase_as(self, name: str, lock: Lock, phase: PhaseRecord) -> None:
        """The record of a phase of the lock's deployment, written while its execution holds environment `name`, whose
        lease is renewed with it. Raises LockLost, and then writes nothing."""
        ...

    def add_event(self, deployment_id: str, at: str, kind: str, detail: Mapping[str, Any]) -> None: ...

    def event(self, deployment_id: str, key: str) -> Mapping[str, Any]:
        """One event by its sort key. Raises NotFound."""
        ...

    def events(self, deployment_id: str) -> Sequence[Mapping[str, Any]]: ...

    def environment(self, name: str) -> Environment:
        """An environment that was never deployed to is one with status NEW."""
        ...

    def environments(self) -> Sequence[Environment]: ...

    def update_environment(self, name: str, changes: Mapping[str, Any], *, holder: str | None = None) -> None:
        """Set these attributes; with `holder`, only while that deployment holds the lock (else LockLost)."""
        ...

    def set_applied(self, name: str, phase: str, applied: Applied | None, *, holder: str) -> None:
        """Keep, or forget, what a phase brought about. Raises LockLost."""
        ...

    def renew_lock(self, name: str, lock: Lock, *, takes_over: bool = False) -> None:
        """Extend the lease of a lock that this execution of this deployment holds; with `takes_over`, whichever
        execution of it. Raises LockLost."""
        ...

    def release_lock(self, name: str, holder: str) -> None:
        """Nothing happens when another deployment, or none, holds it."""
        ...

    def add_history(self, name: str, at: str, entry: Mapping[str, Any]) -> None: ...

    def history(self, name: str, limit: int) -> Sequence[Mapping[str, Any]]:
        """Newest first."""
        ...

    def history_since(self, name: str, at: str) -> Sequence[Mapping[str, Any]]:
        """Newest first, from that time on, and of each entry only what the DORA figures are computed from."""
        ...
