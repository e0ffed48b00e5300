"""Lists of models as JSON: with the aliases in them, and without what a caller may not use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.secret.schema import Model

OWNER = "proxyctl"


def with_aliases(body: bytes, models: Mapping[str, Model], allowed: frozenset[str] | None = None) -> bytes:
    """The upstream's list with an entry for each alias that it does not have, as far as `allowed`.

    Unchanged if it is no list.
    """
    listing = _object(body)
    entries = None if listing is None else listing.get("data")
    if listing is None or not isinstance(entries, list):
        return body
    by_id = {entry["id"]: entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)}
    for alias, model in models.items():
        if alias not in by_id:
            entries.append(_entry(alias, by_id.get(model.target, {}) if not model.upstream else {}))
    if allowed is not None:
        listing["data"] = [entry for entry in entries if isinstance(entry, dict) and entry.get("id") in allowed]
    return json.dumps(listing).encode()


def as_alias(body: bytes, alias: str) -> bytes:
    """The upstream's model object under the name of the alias; unchanged if it is none."""
    model = _object(body)
    if model is None or "id" not in model:
        return body
    return json.dumps({**model, "id": alias}).encode()


def _entry(alias: str, target: dict[str, object]) -> dict[str, object]:
    return {
        "id": alias,
        "object": "model",
        "created": target.get("created", 0),
        "owned_by": target.get("owned_by", OWNER),
    }


def _object(body: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
