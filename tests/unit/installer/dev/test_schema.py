"""The published schema of environment files is that of the types that the control API decodes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.options import Bake, Load, Slo

from ctl.environments import files
from installer.dev import schema


def plain(value: Any) -> Any:
    return json.loads(json.dumps(dataclasses.asdict(value)))


def test_the_file_is_up_to_date() -> None:
    assert schema.FILE.read_text() == schema.text(), "run python -m installer.dev.schema"


@pytest.mark.parametrize("kind", [Config, Slo, Load, Bake])
def test_every_field_has_the_default_of_its_type(kind: type[Any]) -> None:
    assert files.defaults(kind.__name__) == plain(kind())


def ranges() -> list[tuple[str, str, float, float]]:
    """(type, field, lowest, highest) of each number with a range."""
    return [
        (name, field, described["minimum"], described["maximum"])
        for name, part in schema.schema()["$defs"].items()
        for field, described in part.get("properties", {}).items()
        if "minimum" in described
    ]


def test_ranges_are_those_that_the_types_hold_to() -> None:
    assert len(ranges()) > 15
    kinds: dict[str, Any] = {"Config": Config, "Slo": Slo}
    for name, field, low, high in ranges():
        if name not in kinds:
            continue
        for bound in (low, high):
            kinds[name](**{field: bound})
        for outside in (low - 1, high + 1):
            with pytest.raises(BadRequest):
                kinds[name](**{field: outside})
