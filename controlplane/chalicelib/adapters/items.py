"""DynamoDB items to records and back. Numbers are Decimals there and ints or floats here."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from chalicelib.domain.codec import decode, decode_lenient
from chalicelib.domain.config import Config, Options
from chalicelib.domain.model import (
    Action,
    Applied,
    Deployment,
    DeploymentStatus,
    Environment,
    Lock,
    PhaseRecord,
    PhaseStatus,
    Release,
)

_WRITE = TypeSerializer()
_KEYS = frozenset({"pk", "sk", "listed", "listed_all"})


def write(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attribute values of plain JSON values (and dataclasses' fields)."""
    exact = json.loads(json.dumps(dict(values)), parse_float=Decimal)
    return {key: _WRITE.serialize(value) for key, value in exact.items()}


def _numbers(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return value


def visible(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item without its keys, with plain numbers."""
    return {key: _numbers(value) for key, value in item.items() if key not in _KEYS}


def epoch(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())


def update_of(changes: Mapping[str, Any]) -> tuple[str, dict[str, str], dict[str, Any]]:
    """`SET`/`REMOVE` expression, names and values; None removes the attribute."""
    names = {f"#c{number}": name for number, name in enumerate(changes)}
    values = {f":c{number}": value for number, value in enumerate(changes.values()) if value is not None}
    sets = [f"#{key[1:]} = {key}" for key in values]
    removes = [name for name in names if f":{name[1:]}" not in values]
    parts = [f"SET {', '.join(sets)}"] * bool(sets) + [f"REMOVE {', '.join(removes)}"] * bool(removes)
    return " ".join(parts), names, write(values)


def of_lock(lock: Lock) -> dict[str, Any]:
    return dataclasses.asdict(lock)


def of_applied(applied: Applied) -> dict[str, Any]:
    return dataclasses.asdict(applied)


def of_phase(phase: PhaseRecord) -> dict[str, Any]:
    return dataclasses.asdict(phase)


def of_deployment(deployment: Deployment) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(deployment).items() if value is not None}


def to_deployment(item: Mapping[str, Any]) -> Deployment:
    told = visible(item)
    names = {field.name for field in dataclasses.fields(Deployment)}
    given = {key: value for key, value in told.items() if key in names}
    return Deployment(
        **given
        | {
            "action": Action(given["action"]),
            "status": DeploymentStatus(given["status"]),
            # Lenient: a record written by an older or newer version of the control plane must stay readable.
            "config": decode_lenient(Config, given["config"]),
            "options": decode_lenient(Options, given["options"]),
        }
    )


def to_phase(item: Mapping[str, Any]) -> PhaseRecord:
    told = visible(item)
    return PhaseRecord(**told | {"status": PhaseStatus(told["status"])})


def _release(given: Any) -> Release | None:
    return decode(Release, given) if given else None


def to_environment(name: str, item: Mapping[str, Any]) -> Environment:
    told = visible(item)
    applied = {
        key.removeprefix("applied_"): decode(Applied, value)
        for key, value in told.items()
        if key.startswith("applied_")
    }
    return Environment(
        name=name,
        status=told.get("status", "NEW"),
        lock=decode(Lock, told["lock"]) if told.get("lock") else None,
        live=_release(told.get("live")),
        last_good=_release(told.get("last_good")),
        previous=_release(told.get("previous")),
        releases=tuple(decode(Release, one) for one in told.get("releases") or ()),
        applied=applied,
        links=told.get("links", {}),
        last_deployment=told.get("last_deployment"),
        last_revalidation=told.get("last_revalidation"),
        incident=told.get("incident"),
        expires_at=told.get("expires_at"),
        at_expiry=told.get("at_expiry") or {},
        updated_at=told.get("updated_at"),
    )
