"""`/models`: the upstream's list with the aliases in it, and one alias as a model object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.secret.schema import Config, Model

OWNER = "proxyctl"


def with_aliases(body: bytes, models: Mapping[str, Model]) -> bytes:
    """The upstream's list with an entry for every alias that it does not have; unchanged if it is no list."""
    listing = _object(body)
    if listing is None or not isinstance(listing.get("data"), list):
        return body
    entries = (entry for entry in listing["data"] if isinstance(entry, dict))
    by_id = {entry["id"]: entry for entry in entries if isinstance(entry.get("id"), str)}
    for alias, model in models.items():
        if alias not in by_id:
            listing["data"].append(_entry(alias, by_id.get(model.target, {})))
    return json.dumps(listing).encode()


def as_alias(body: bytes, alias: str) -> bytes:
    """The upstream's model object under the name of the alias; unchanged if it is none."""
    model = _object(body)
    if model is None or "id" not in model:
        return body
    return json.dumps({**model, "id": alias}).encode()


def alias_in(path: str, config: Config) -> str:
    """The alias that `/models/<name>` asks for; empty when it is none."""
    name = unquote(path.partition("?")[0].removeprefix("/models/"))
    return name if name in config.models else ""


def _entry(alias: str, target: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": alias,
        "object": "model",
        "created": target.get("created", 0),
        "owned_by": target.get("owned_by", OWNER),
    }


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
