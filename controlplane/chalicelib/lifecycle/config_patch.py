"""A request's `config` changes the fields that it names; all others stay as the environment has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from chalicelib.domain.codec import decode, decode_lenient, refuse_unknown, unknown_part
from chalicelib.domain.config import Config
from chalicelib.domain.model import Evidence, Release

Patch = Mapping[str, object]


def patched(patch: Patch, release: Release | None, *, replaces: bool) -> tuple[Config, Evidence]:
    """The configuration of a deployment, and the fields of another version of the control plane that stay on record.

    patch: `config` of the request's body, {} without one; a field that is null gets its default, an object (throttle,
    alarms, …) is patched in turn, a list is replaced. release: the environment's last good one, None before the first.
    replaces: start from the defaults instead of from `release`. Raises BadRequest naming the field.
    """
    recorded = release.config if release and not replaces else {}
    base = decode_lenient(Config, dict(recorded))
    unknown = unknown_part(Config, recorded)
    if not patch:
        return base, unknown
    refuse_unknown(Config, patch, under="config")
    return decode(Config, _merge(dataclasses.asdict(base), patch), under="config"), unknown


def _merge(base: Mapping[str, object], patch: Patch) -> dict[str, object]:
    merged = dict(base)
    for name, value in patch.items():
        before = merged.pop(name, None)
        if isinstance(value, Mapping):
            merged[name] = _merge(before if isinstance(before, Mapping) else {}, value)
        elif value is not None:
            merged[name] = value
    return merged


def without_nulls(patch: Patch) -> dict[str, object]:
    """The patch without the fields that it resets, at any depth: what the schema of `Config` accepts."""
    kept = {name: value for name, value in patch.items() if value is not None}
    return {name: without_nulls(value) if isinstance(value, Mapping) else value for name, value in kept.items()}
