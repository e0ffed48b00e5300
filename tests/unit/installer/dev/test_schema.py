"""The published schema of environment files is that of the types that the control API decodes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from chalicelib.domain.config import Config
from chalicelib.domain.options import Bake, Load, Slo
from jsonschema import Draft202012Validator

from ctl.environments import files
from installer.dev import schema


def plain(value: Any) -> Any:
    return json.loads(json.dumps(dataclasses.asdict(value)))


def test_the_file_is_up_to_date() -> None:
    assert schema.FILE.read_text() == schema.text(), "run python -m installer.dev.schema"


@pytest.mark.parametrize("kind", [Config, Slo, Load, Bake])
def test_every_field_has_the_default_of_its_type(kind: type[Any]) -> None:
    assert files.defaults(kind.__name__) == plain(kind())


def test_a_file_may_hold_what_the_proxy_reads_of_a_provider() -> None:
    """An earlier schema wanted the query as text, which the proxy refuses."""
    validator = Draft202012Validator(schema.schema())
    provider = {"api_key": {"env": "KEY"}, "auth": "api-key", "query": {"api-version": "2024-10-21"}}
    assert validator.is_valid({"name": "prod", "provider": provider})
    assert not validator.is_valid({"name": "prod", "provider": {**provider, "query": "api-version=2024-10-21"}})
    assert not validator.is_valid({"name": "prod", "provider": {**provider, "api_key": "sk-in-the-file"}})
