"""A Lambda's zip is named by its sources: another machine's bytecode or compression makes no update."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from installer.errors import CannotStart
from installer.packaging import control_plane
from installer.packaging.template import Template

FILES = {"app.py": b"x = 1\n", "__pycache__/app.cpython-311.pyc": b"marshalled here"}


def test_bytecode_that_another_machine_marshals_otherwise_keeps_the_name() -> None:
    there = FILES | {"__pycache__/app.cpython-311.pyc": b"marshalled there"}
    assert control_plane.zip_name(FILES) == control_plane.zip_name(there)


@pytest.mark.parametrize("change", [{"app.py": b"x = 2\n"}, {"b.py": b""}])
def test_other_sources_get_another_name(change: dict[str, bytes]) -> None:
    assert control_plane.zip_name(FILES) != control_plane.zip_name(FILES | change)


def test_dependencies_of_a_function_that_does_not_exist_are_refused(tmp_path: Path) -> None:
    names = tmp_path / "controlplane" / "dependencies.json"
    names.parent.mkdir()
    template: Template = {"Resources": {"Bake": {"Type": "AWS::Serverless::Function", "Properties": {}}}}
    names.write_text(json.dumps({"*": ["msgspec"], "Bake": []}))
    control_plane.check_functions_exist(tmp_path, template)
    names.write_text(json.dumps({"Bake": [], "Baking": ["openai"]}))
    with pytest.raises(CannotStart, match="Baking"):
        control_plane.check_functions_exist(tmp_path, template)
