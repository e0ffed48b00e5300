"""Records of fleets: their deployments, waves and members (DynamoDB)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chalicelib.domain.fleets.model import (
    Fleet,
    FleetDeployment,
    FleetMember,
    FleetRow,
    FleetState,
    FleetWave,
)
from chalicelib.domain.records import Claim


class Fleets(Protocol):
    """Writes are conditional. Records are kept for 400 days."""

    def start(self, state: FleetState, claim: Claim | None) -> None:
        """Record a fleet deployment, its waves and members, and let it hold its fleet. Members come first, a hundred in
        a transaction, so that a call that dies half-way can be repeated.

        Raises Conflict: with `holder` when another one runs in the fleet, with `claimed_by` and `body_sha256` when the
        key was used before.
        """
        ...

    def state(self, id_: str) -> FleetState:
        """The fleet deployment with all waves and members. Raises NotFound."""
        ...

    def deployment(self, id_: str) -> FleetDeployment:
        """Without waves and members. Raises NotFound."""
        ...

    def wave(self, id_: str, number: int) -> FleetWave:
        """Raises NotFound."""
        ...

    def member(self, id_: str, wave: int, environment: str) -> FleetMember:
        """Raises NotFound."""
        ...

    def begin_member(self, id_: str, member: FleetMember) -> bool:
        """Write a member that begins; False when it has begun before, or when the fleet deployment was stopped."""
        ...

    def end_member(self, id_: str, member: FleetMember) -> None:
        """Write a member that has ended, and count its failure, once."""
        ...

    def update_member(self, id_: str, member: FleetMember) -> None:
        """Write a member as it is now."""
        ...

    def update_wave(self, id_: str, number: int, changes: Mapping[str, object]) -> None: ...

    def update(self, id_: str, changes: Mapping[str, object]) -> None:
        """Set these attributes of a fleet deployment that is not final; raises Conflict when it is."""
        ...

    def stop(self, id_: str, stop: Mapping[str, object]) -> None:
        """Record why no further member begins; an earlier reason stays. Raises Conflict when it is final."""
        ...

    def conclude(self, deployment: FleetDeployment, changes: Mapping[str, object]) -> None:
        """The end, once: outcome, list and the fleet's release in one transaction. Nothing happens the second time."""
        ...

    def fleets(self, limit: int, cursor: str | None) -> tuple[Sequence[Fleet], str | None]:
        """By name, last first, and the cursor of the next page."""
        ...

    def fleet(self, name: str) -> Fleet | None: ...

    def rows(self, fleet: str, limit: int, cursor: str | None) -> tuple[Sequence[FleetRow], str | None]:
        """The deployments of a fleet, newest first, and the cursor of the next page."""
        ...

    def running(self) -> Sequence[str]:
        """IDs of the fleet deployments that have not ended."""
        ...
