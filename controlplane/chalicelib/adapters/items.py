"""DynamoDB items to records and back. Numbers are Decimals there and ints or floats here.

Records outlive versions of the control plane: a missing attribute gets its default, an unknown one is ignored, and
stays on record when the item or the part of it is written back.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from chalicelib.domain.codec import decode_lenient, decode_record, encode_record, enum_member, merge, unknown_part
from chalicelib.domain.config import Config
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
_KEYS = frozenset({"pk", "sk", "listed", "listed_all", "expires"})
_APPLIED = "applied_"
_RELEASES = frozenset({"live", "last_good", "previous", "releases"})
_EPOCH = "1970-01-01T00:00:00.000+00:00"  # the time of a record that has lost its own


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
    """An item without its keys and its time to live, with plain numbers."""
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


def of_lock(lock: Lock) -> dict[str, object]:
    return dataclasses.asdict(lock)


def of_applied(applied: Applied) -> dict[str, object]:
    return dataclasses.asdict(applied)


def of_phase(phase: PhaseRecord) -> dict[str, object]:
    record = encode_record(phase)
    return record if phase.usage is None else {**record, "usage": dict(phase.usage.used())}


def of_deployment(deployment: Deployment) -> dict[str, object]:
    record = {key: value for key, value in dataclasses.asdict(deployment).items() if value is not None}
    unknown = record.pop("unknown_config")
    return {**record, "config": merge(record["config"], unknown)}


def to_deployment(item: Mapping[str, Any]) -> Deployment:
    """Readable whatever is missing, and whatever another version added: so is every `to_…` here."""
    record = visible(item)
    config = record.get("config") or {}
    readable = {"id": _name_in(item), "environment": "", "created_at": _EPOCH, **record, "action": Action.DEPLOY}
    deployment = decode_lenient(
        Deployment, {"config": {}, "options": {}, **readable, "status": DeploymentStatus.PENDING}
    )
    return dataclasses.replace(
        deployment,
        action=enum_member(Action, str(record.get("action", Action.DEPLOY))),
        status=enum_member(DeploymentStatus, str(record.get("status", DeploymentStatus.FAILED))),
        unknown_config=unknown_part(Config, config),
    )


def to_phase(item: Mapping[str, Any]) -> PhaseRecord:
    record = visible(item)
    readable = {"number": 0, "name": _name_in(item, "sk"), **record, "status": PhaseStatus.PENDING}
    status = enum_member(PhaseStatus, str(record.get("status", PhaseStatus.PENDING)))
    return dataclasses.replace(decode_record(PhaseRecord, readable), status=status)


def to_environment(name: str, item: Mapping[str, Any]) -> Environment:
    record = visible(item)
    applied = {
        key.removeprefix(_APPLIED): decode_lenient(Applied, value)
        for key, value in record.items()
        if key.startswith(_APPLIED) and isinstance(value, dict)
    }
    simple = {key: value for key, value in record.items() if key not in _RELEASES and value is not None}
    return dataclasses.replace(
        decode_lenient(Environment, {**simple, "name": name}),
        live=_release(record.get("live")),
        last_good=_release(record.get("last_good")),
        previous=_release(record.get("previous")),
        releases=tuple(release for release in map(_release, record.get("releases") or ()) if release),
        applied=applied,
    )


def _release(value: object) -> Release | None:
    return decode_record(Release, value) if isinstance(value, dict) and value else None


def _name_in(item: Mapping[str, Any], key: str = "pk") -> str:
    """The last part of a key: `d-1` of `DEPLOYMENT#d-1`."""
    return str(item.get(key, "")).rpartition("#")[2]
