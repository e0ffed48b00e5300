"""Exceptions: each has a reason and a source, and goes when nothing needs it any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from judges import exceptions
from judges.__main__ import JUDGES
from judges.exceptions import FOLDER, Accepted

EXPLAINED = Accepted("a: *", "so it is", "somewhere")


def test_a_finding_without_an_exception_is_open() -> None:
    assert exceptions.judge(["a: b", "c"], [EXPLAINED]).open == ["c"]


def test_an_exception_that_matches_nothing_fails_the_judge() -> None:
    verdict = exceptions.judge([], [EXPLAINED])
    assert verdict.unused == ["a: *"]
    assert not verdict.passed


@pytest.mark.parametrize(
    "entry", ["{finding: a, reason: b}", "{finding: a, reason: b, source: ' '}", "{finding: a, b: c}"]
)
def test_an_exception_without_reason_and_source_is_refused(entry: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(f"- {entry}\n")
    with pytest.raises(ValueError, match="needs exactly finding, reason and source"):
        exceptions.load("x", tmp_path)


def test_every_file_of_exceptions_belongs_to_a_judge() -> None:
    judges = {*JUDGES, "calls", "statements", "long", "emulators"}
    assert {path.stem for path in FOLDER.glob("*.yaml")} <= judges
    assert all(exceptions.load(path.stem) for path in FOLDER.glob("*.yaml"))
