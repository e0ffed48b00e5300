"""The record of everything: deployments, their phases and events, environments and their locks (DynamoDB)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..core.model import Applied, Deployment, DeploymentStatus, Environment, Lock, PhaseRecord


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key and the digest of the body that came with it."""

    key: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `cursor` asks for the next page, None at the end."""

    deployments: Sequence[Deployment]
    cursor: str | None


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

    def phases(self, deployment_id: str) -> Sequence[PhaseRecord]:
        """In order of their numbers; the five steps beside the phases (number 0) come first."""
        ...

    def put_phase(self, deployment_id: str, phase: PhaseRecord) -> None: ...

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

    def renew_lock(self, name: str, lock: Lock) -> None:
        """Extend the lease of a lock that this deployment holds. Raises LockLost."""
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
