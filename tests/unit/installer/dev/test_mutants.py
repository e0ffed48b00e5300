"""A mutant is killed by a test of the boundary that it moves, and survives where there is none."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from installer.dev.mutants import ROOT, SOURCES, Mutant, mutants, survives
from installer.dev.mutations import changed as changes_of

DECIDES = """\
from dataclasses import dataclass

LIMIT = 5
SHARE = 0.5


@dataclass(frozen=True)
class Judged:
    good: bool


def judge(figure: int, *, strict: bool = False) -> Judged:
    return Judged(figure <= LIMIT and not strict)
"""
BOTH_SIDES = """\
from decides import judge


def test_both_sides() -> None:
    assert judge(5).good
    assert not judge(6).good
    assert not judge(5, strict=True).good
"""
FAR_AWAY = """\
from decides import judge


def test_far_away() -> None:
    assert judge(1).good
    assert not judge(9).good
"""


@pytest.fixture
def decides(tmp_path: Path) -> Path:
    path = tmp_path / "decides.py"
    path.write_text(DECIDES)
    (tmp_path / "test_both_sides.py").write_text(BOTH_SIDES)
    (tmp_path / "test_far_away.py").write_text(FAR_AWAY)
    return path


def changed(path: Path, line: str) -> Mutant:
    return next(mutant for mutant in mutants(path, path.parent) if mutant.change.endswith(f"-> {line}"))


def test_boundaries_negations_numbers_and_defaults_are_changed_and_options_of_dataclasses_are_not(
    decides: Path,
) -> None:
    changes = [mutant.change.partition(" | ")[2] for mutant in mutants(decides, decides.parent)]
    assert "LIMIT = 5 -> LIMIT = 6" in changes
    assert any(change.endswith("Judged(figure < LIMIT and not strict)") for change in changes)
    assert any(change.endswith("Judged(figure <= LIMIT or not strict)") for change in changes)
    assert "SHARE = 0.5 -> SHARE = 0.55" in changes
    assert "SHARE = 0.5 -> SHARE = 0.45" in changes
    assert [change for change in changes if change.startswith(("@", "def "))] == [
        "def judge(figure: int, *, strict: bool = False) -> Judged: -> "
        "def judge(figure: int, *, strict: bool = True) -> Judged:"
    ]


@pytest.mark.parametrize(
    ("line", "others"),
    [
        ("low = max(a, b)", ["low = min(a, b)"]),
        ("largest = max", []),
        ("some = any(a)", ["some = all(a)"]),
        ("whole = floor(a)", ["whole = ceil(a)"]),
        ("inside = a in b", ["inside = a not in b"]),
        ("outside = a not in b", ["outside = a  in b"]),
        ("some = [a for a in b if a]", ["some = [a for a in b if not a]"]),
        ("for a in b: pass", []),
        ("nothing = 0.0", ["nothing = 1.0", "nothing =  -1.0"]),
        ("tiny = 1e-3", ["tiny =  1.001", "tiny =  -0.999", "tiny = 0.0011", "tiny = 0.0009"]),
    ],
)
def test_what_cosmic_ray_leaves_alone_is_changed_too(line: str, others: list[str]) -> None:
    fold = [" ".join(each.split()) for each in changes_of(line + "\n")]
    assert fold == [" ".join(each.split()) for each in others]


def test_a_test_of_both_sides_kills_a_moved_boundary(decides: Path) -> None:
    moved = changed(decides, "return Judged(figure < LIMIT and not strict)")
    assert not survives(moved, [str(decides.parent / "test_both_sides.py")])


def test_a_test_far_from_the_boundary_lets_it_survive(decides: Path) -> None:
    moved = changed(decides, "return Judged(figure < LIMIT and not strict)")
    assert survives(moved, [str(decides.parent / "test_far_away.py")])


def test_without_a_mutant_the_tests_pass(decides: Path) -> None:
    assert survives(Mutant("", "", ""), [str(decides.parent / "test_both_sides.py")])


def test_every_module_and_its_tests_exist_and_every_survivor_has_its_line_and_a_reason() -> None:
    plan = tomllib.loads((ROOT / "installer" / "dev" / "mutants.toml").read_text())
    for path, tests in plan["modules"].items():
        assert (SOURCES / path).exists(), path
        assert all((ROOT / place).exists() for place in tests), tests
    for change, reason in plan["survivors"].items():
        path, _, lines = change.partition(" | ")
        folded = [" ".join(line.split()) for line in (SOURCES / path).read_text().splitlines()]
        assert lines.partition(" -> ")[0] in folded or any(lines.startswith(f"{line} -> ") for line in folded), change
        assert reason
