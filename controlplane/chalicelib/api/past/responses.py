"""The bodies of answers about what happened to an environment. See `responses`."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.records import DriftRow, HistoryEntry, Incident


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Newest first. cursor: what asks for the next page, null on the last."""

    environment: str
    incidents: tuple[Incident, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail:
    """See `domain.records.Incident`. history: what ended while it was open, newest first, at most 100 entries."""

    environment: str
    opened_at: str
    opened_by: str
    why: str
    drift: tuple[DriftRow, ...]
    closed_at: str | None
    closed_by: str | None
    how: str
    history: tuple[HistoryEntry, ...]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Newest first. cursor: what asks for the next page, null on the last."""

    environment: str
    history: tuple[HistoryEntry, ...]
    cursor: str | None
