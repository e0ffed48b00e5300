"""The published schemas of configuration and options say what the types do: every field, its default, its range."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config
from chalicelib.domain.described import schemas
from chalicelib.domain.described.effects import EFFECTS
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Options
from jsonschema import Draft202012Validator

FIELDS = list(schemas.fields())
RANGED = [field for field in FIELDS if field.range]
ROOTS: dict[str, type[Any]] = {"config": Config, "options": Options}
# A rule between fields that the value at a bound would break, and what must stand beside it.
BESIDE: dict[str, dict[str, Any]] = {
    "options.slo.p99_ms": {},
    "options.load.rps": {"duration_s": 3_600},
    "options.load.duration_s": {"rps": 1_000},
    "options.bake.step_s": {"strategy": "all_at_once", "watch_s": 0},
    "options.bake.watch_s": {"step_s": 0},
    "options.bake.percent": {"strategy": "canary"},
}


def test_every_field_has_an_effect_and_every_effect_a_field() -> None:
    assert {field.path for field in FIELDS} == set(EFFECTS)


@pytest.mark.parametrize("text", EFFECTS.values(), ids=EFFECTS)
def test_an_effect_is_a_sentence(text: str) -> None:
    assert text[0].isupper() or text[0] in "`9"
    assert text.endswith(".")
    assert len(text) < 200


def test_every_default_is_what_an_empty_request_gets() -> None:
    for field in FIELDS:
        value: Any = {name: decode(kind, {}) for name, kind in ROOTS.items()}
        if field.default is dataclasses.MISSING:
            continue
        for name in field.path.split("."):
            value = value[name] if isinstance(value, dict) else getattr(value, name)
            if value is None:  # a part that is not there has no defaults
                break
        if value is None and field.path.count(".") > 1:
            continue
        if field.part is None or field.default is None:
            assert field.default == (list(value) if isinstance(value, tuple) else value), field.path


@pytest.mark.parametrize("field", RANGED, ids=lambda field: field.path)
def test_a_range_ends_where_the_type_refuses(field: schemas.Field) -> None:
    low, high = field.range or (0, 0)
    for bound in (low, high):
        assert _refusal(field, bound) != field.path, bound
    for outside in (low - 1, high + 1):
        assert _refusal(field, outside) == field.path, outside


def _refusal(field: schemas.Field, value: float) -> str:
    """The field that is refused when this one has that value; "" when none is."""
    root, *names = field.path.split(".")
    document: dict[str, Any] = {**BESIDE.get(field.path, {}), names[-1]: value}
    for name in reversed(names[:-1]):
        document = {name: document}
    try:
        decode(ROOTS[root], document)
    except BadRequest as error:
        return str(error.field)
    return ""


def test_the_number_of_ranges_only_grows() -> None:
    assert len(RANGED) >= 42


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("log_retention_days", 14, 15),
        ("notify", ["ops@example.com"], ["nobody"]),
        ("secret_arn", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a", "a"),
        ("memory_mb", None, 127),
    ],
)
def test_a_patch_of_the_configuration_fits_the_schema_when_the_type_takes_it(field: str, good: Any, bad: Any) -> None:
    parts = schemas.patch_schemas("#/$defs/{name}")
    validator = Draft202012Validator({"$ref": "#/$defs/ConfigPatch", "$defs": parts})
    assert validator.is_valid({field: good})
    assert not validator.is_valid({field: bad})
    with pytest.raises(BadRequest):
        decode(Config, {field: bad})
