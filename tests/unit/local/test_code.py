"""The digest of what a cloud runs, and what a start does with a cloud of another version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local import cloud, code, state
from tests.unit.local.test_state import CLOUD

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "local" / "inside").mkdir(parents=True)
    for name in ("inside/roles.py", "pump.py", "console.py"):
        (tmp_path / "local" / name).write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(("name", "counts"), [("inside/roles.py", True), ("pump.py", True), ("console.py", False)])
def test_only_what_the_processes_load_once_counts(name: str, counts: bool, checkout: Path) -> None:
    before = code.digest(checkout)
    (checkout / "local" / name).write_text("x = 2\n")
    assert (code.digest(checkout) != before) == counts


def test_every_part_is_there() -> None:
    """A file that is renamed must not leave the digest silently."""
    assert all(list((ROOT / "local").glob(pattern)) for pattern in code._PARTS)


def start(checkout: Path, recorded: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a cloud that runs and answers is reused; its record holds this digest."""
    state.save(checkout, replace(CLOUD, code=recorded))
    monkeypatch.setattr(cloud, "serves", lambda _: True)
    monkeypatch.setattr(cloud, "is_healthy", lambda _: True)
    return cloud.start(cloud.Site.of(checkout, checkout))[1]


def test_a_cloud_of_the_same_code_is_reused(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(checkout, code.digest(checkout), monkeypatch)


@pytest.mark.parametrize("recorded", ["", "0" * 64])
def test_a_cloud_of_another_version_is_left_running_and_the_way_out_named_with_what_it_costs(
    recorded: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that recorded no digest is another one, too."""
    with pytest.raises(cloud.OtherVersion, match="another version") as raised:
        start(checkout, recorded, monkeypatch)
    assert "`make stop` ends it, with all environments, secrets and records in it" in str(raised.value)
    assert state.load(checkout) is not None
