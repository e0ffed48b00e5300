"""The fields of the configuration that a deployment would change, and whom each change reaches."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.plan import USERS, Effect, SettingChange
from chalicelib.domain.model import Release

# Fields that users do not feel. Every other field reaches them with the shift, and the candidate before that.
_NOT_FELT: Mapping[str, Effect] = {
    "log_retention_days": "none",
    "notify": "none",
    "webhook": "none",
    "keep_versions": "none",
    "heal_at_night": "none",
    "secret_max_age_days": "candidate",
}


def changes(wanted: Config, release: Release | None) -> tuple[SettingChange, ...]:
    """A line for each field, with a dot for fields of an object, that differs from the live release's configuration;
    for a first release all fields, with None before."""
    after = dict(_flat(dataclasses.asdict(wanted)))
    before = dict(_flat(dataclasses.asdict(decode_lenient(Config, dict(release.config))))) if release else {}
    names = [*after, *(name for name in before if name not in after)]
    return tuple(
        SettingChange(name, before.get(name), after.get(name), _NOT_FELT.get(name.partition(".")[0], USERS))
        for name in names
        if release is None or before.get(name) != after.get(name)
    )


def _flat(config: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, list(value) if isinstance(value, tuple) else value
