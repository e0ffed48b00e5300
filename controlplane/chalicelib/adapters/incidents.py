"""The incidents of an environment: items `ENVIRONMENT#<name>` / `INCIDENT#<time>#<deployment that opened it>`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.records import Incident

from . import expiry, items, writes
from .keys import environment_key
from .table import Table

_PREFIX = "INCIDENT#"


def record(table: str, name: str, incident: Incident) -> None:
    """Writes what the incident says. An end leaves the differences of the beginning; repeated, it changes nothing."""
    values = dataclasses.asdict(incident)
    if incident.closed_at:
        del values["drift"]
    changes = {**values, **expiry.after(incident.closed_at or incident.opened_at)}
    expression, names, held = items.update_of(changes)
    writes.item(
        "update_item",
        TableName=table,
        Key=environment_key(name, f"{_PREFIX}{incident.opened_at}#{incident.opened_by}"),
        UpdateExpression=expression,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=held,
    )


def page(table: Table, name: str, limit: int, cursor: str | None) -> tuple[Sequence[Incident], str | None]:
    """Newest first, and the cursor of the next page."""
    entries, following = table.page(f"ENVIRONMENT#{name}", _PREFIX, limit, cursor)
    return [_read(entry) for entry in entries], following


def opened_by(table: Table, name: str, deployment_id: str) -> Incident | None:
    """The incident that this deployment opened. Reads the environment's incidents of 400 days: a few hundred."""
    read = map(_read, table.under(f"ENVIRONMENT#{name}", _PREFIX))
    return next((incident for incident in read if incident.opened_by == deployment_id), None)


def _read(item: Mapping[str, Any]) -> Incident:
    return decode_lenient(Incident, items.visible(item))
