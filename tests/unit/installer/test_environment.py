"""An environment counts as made only when its stamp says so, and the stamp is written last."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from installer import environment
from installer.environment import DEV, RUN, Profile


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with an environment that looks whole."""
    (tmp_path / RUN.requirements).write_text("one==1 --hash=sha256:1\n")
    (tmp_path / DEV.requirements).write_text("one==1 --hash=sha256:1\ntwo==2 --hash=sha256:2\n")
    python = environment.python_of(tmp_path, RUN)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stamp(tmp_path, RUN)
    return tmp_path


def stamp(root: Path, profile: Profile) -> None:
    environment.write_stamp(root / profile.venv, environment.stamp_for(root, profile))


def test_a_stamped_environment_is_left_alone(root: Path) -> None:
    assert environment.is_current(root, RUN)
    assert environment.ensure(root, RUN) is False


def test_one_that_a_killed_run_left_half_made_is_not_current(root: Path) -> None:
    (root / RUN.venv / environment.STAMP).unlink()
    assert not environment.is_current(root, RUN)


def test_a_stamp_cut_short_is_no_stamp(root: Path) -> None:
    place = root / RUN.venv / environment.STAMP
    place.write_text(place.read_text()[:10])
    assert not environment.is_current(root, RUN)


def test_other_locked_versions_make_it_stale(root: Path) -> None:
    (root / RUN.requirements).write_text("one==2 --hash=sha256:3\n")
    assert not environment.is_current(root, RUN)


def test_the_development_environment_satisfies_who_only_runs(root: Path) -> None:
    stamp(root, DEV)
    assert environment.is_current(root, RUN)
    assert environment.is_current(root, DEV)


def test_who_only_runs_does_not_satisfy_development(root: Path) -> None:
    assert not environment.is_current(root, DEV)


def test_an_outdated_development_environment_is_renewed_whole_by_who_only_runs(root: Path) -> None:
    """`make demo` beside `make test` must not take the test tools away."""
    stamp(root, DEV)
    (root / RUN.requirements).write_text("one==2 --hash=sha256:3\n")
    (root / DEV.requirements).write_text("one==2 --hash=sha256:3\ntwo==2 --hash=sha256:2\n")
    assert not environment.is_current(root, RUN)
    assert environment.at_least(root, RUN) == DEV


def test_a_checkout_that_was_moved_installs_anew(root: Path) -> None:
    moved = root.with_name("moved")
    root.rename(moved)
    assert not environment.is_current(moved, RUN)


def test_a_python_that_has_gone_installs_anew(root: Path) -> None:
    python = environment.python_of(root, RUN)
    python.unlink()
    python.symlink_to(root / "no-such-python")
    assert not environment.is_current(root, RUN)


def test_every_locked_package_has_a_hash_and_no_file_names_an_index() -> None:
    checkout = Path(environment.__file__).resolve().parent.parent
    names = [environment.UV_REQUIREMENTS, *(profile.requirements for profile in environment.PROFILES.values())]
    for name in [*names, "controlplane/requirements.txt"]:
        text = (checkout / name).read_text()
        blocks = [block for block in text.replace("\\\n", " ").splitlines() if "==" in block and block[0] not in "# "]
        assert blocks, name
        assert all("--hash=sha256:" in block for block in blocks), name
        assert "index-url" not in text, name
        assert "find-links" not in text, name


def test_what_the_control_plane_needs_is_in_the_checkouts_own_set_in_the_same_version() -> None:
    checkout = Path(environment.__file__).resolve().parent.parent
    runtime, run, dev = (
        pinned(checkout / name) for name in ("controlplane/requirements.txt", RUN.requirements, DEV.requirements)
    )
    assert runtime.items() <= run.items() <= dev.items()


def pinned(path: Path) -> dict[str, str]:
    lines = [line.split(";")[0] for line in path.read_text().splitlines() if "==" in line and line[0] not in "# "]
    return {name: version.strip(" \\") for name, version in (line.split("==") for line in lines)}


def test_the_stamp_says_for_which_place_and_set_it_stands(root: Path) -> None:
    written = json.loads((root / RUN.venv / environment.STAMP).read_text())
    assert (written["profile"], written["place"]) == ("run", str(root))
