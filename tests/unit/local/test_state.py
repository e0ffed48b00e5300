"""What is written down about a cloud can be read back, by its owner only."""

from __future__ import annotations

import json
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import state
from local.state import Cloud, Keys, Process

CLOUD = Cloud(
    token="t",
    region="eu-central-1",
    account="000000000000",
    emulator_port=4566,
    stand_in_port=8000,
    root=Keys("AKIAROOT", "root-secret"),
    operator=Keys("AKIAUSER", "user-secret"),
    processes=(Process("emulator", 12, 1.5),),
)


def test_a_cloud_survives_being_saved_and_loaded(tmp_path: Path) -> None:
    state.save(tmp_path, CLOUD)
    assert state.load(tmp_path) == CLOUD


def test_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    state.save(tmp_path, CLOUD)
    assert stat.S_IMODE((tmp_path / "cloud.json").stat().st_mode) == 0o600


def test_half_a_file_is_no_cloud(tmp_path: Path) -> None:
    state.save(tmp_path, CLOUD)
    text = (tmp_path / "cloud.json").read_text()
    (tmp_path / "cloud.json").write_text(text[: len(text) // 2])
    assert state.load(tmp_path) is None


def test_the_port_is_remembered_after_the_cloud_is_forgotten(tmp_path: Path) -> None:
    state.save(tmp_path, CLOUD)
    state.forget(tmp_path)
    assert state.load(tmp_path) is None
    assert state.last_port(tmp_path) == 4566


def test_clients_work_as_the_operator_never_as_root() -> None:
    assert "root-secret" not in CLOUD.variables().values()
    assert CLOUD.variables()["AWS_ACCESS_KEY_ID"] == "AKIAUSER"


def test_export_lines_survive_a_shell() -> None:
    awkward = 'it\'s $HOME `x` "y" z'
    (line,) = state.export_lines({"NAME": awkward}).splitlines()
    assert shlex.split(line) == ["export", f"NAME={awkward}"]


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.pop("switches"),
        lambda stored: stored.pop("code"),
        lambda stored: stored.update(later="x"),
        lambda stored: stored["switches"].update(later=True),
        lambda stored: stored["processes"][0].update(later=1),
        lambda stored: stored["root"].update(later=""),
    ],
)
def test_what_another_version_wrote_still_names_the_processes_to_end(
    change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    """Otherwise they would run on, and `stop` would say that nothing was running."""
    state.save(tmp_path, CLOUD)
    stored = json.loads((tmp_path / "cloud.json").read_text())
    change(stored)
    (tmp_path / "cloud.json").write_text(json.dumps(stored))
    assert state.load(tmp_path) == CLOUD


@pytest.mark.parametrize("text", ["[]", "null", '{"processes": [1]}', '{"processes": [], "root": 1, "operator": 1}'])
def test_a_file_of_something_else_is_no_cloud(text: str, tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text(text)
    assert state.load(tmp_path) is None
