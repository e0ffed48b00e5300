"""Fields of stored configurations that a release does not know: it would act as if they were not set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.described.effects import CONFIG_FIELDS
from chalicelib.domain.errors import PhaseFailed


@dataclass(frozen=True, slots=True)
class Stored:
    """A configuration on record, and the environment that it is of."""

    environment: str
    config: Mapping[str, object]


def missing(present: Collection[str]) -> list[str]:
    """The fields that this version has and a release with those `present` lacks."""
    return [path for path in CONFIG_FIELDS if path not in present]


def refuse_ignored(fields: Iterable[str], configurations: Iterable[Stored]) -> None:
    """Raises PhaseFailed (FieldUnknown) for the first environment that sets one of the fields to something else than
    its default."""
    fields, defaults = tuple(fields), {"config": encode(Config())}
    for stored in configurations:
        for path in fields:
            value = _at({"config": stored.config}, path)
            if value not in (None, _at(defaults, path)):
                raise _ignored(path, stored.environment)


def _ignored(path: str, environment: str) -> PhaseFailed:
    return PhaseFailed(
        f"environment {environment} uses {path}, which the release does not know: it would act as if that were not set",
        code="FieldUnknown",
        field=path,
        remedy=f"Reset {path} with a deploy of {environment}, clean the environment up, or choose a release that knows "
        "the field.",
    )


def _at(config: Mapping[str, object], path: str) -> object:
    """The value at a dotted path; None where there is none."""
    value: object = config
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
