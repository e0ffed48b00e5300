"""Which end of each part of a drill is the expected one, and which part follows."""

from __future__ import annotations

import dataclasses

import pytest
from chalicelib.domain import drills
from chalicelib.phases.run_drill.parts import PartEnd, following, problem

TWELVE = {f"phase-{number}": "SUCCEEDED" for number in range(12)}
GOOD = {
    "deploy": PartEnd("SUCCEEDED", TWELVE, live="2", alias="2"),
    "broken": PartEnd("FAILED", live="2", alias="2", before="2"),
    "update": PartEnd("SUCCEEDED", live="4", alias="4", before="2"),
    "cleanup": PartEnd("SUCCEEDED", remaining=0),
}


@pytest.mark.parametrize("part", drills.PARTS)
def test_each_part_has_one_expected_end(part: str) -> None:
    assert problem(part, GOOD[part]) == ""
    for other in {"SUCCEEDED", "FAILED", "ROLLED_BACK", "ABORTED"} - {GOOD[part].status}:
        assert problem(part, dataclasses.replace(GOOD[part], status=other))


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("deploy", {"phases": TWELVE | {"phase-3": "SKIPPED"}}),
        ("broken", {"status": "SUCCEEDED"}),
        ("broken", {"alias": "3"}),
        ("broken", {"alias": ""}),
        ("broken", {"live": "3"}),
        ("update", {"live": "2", "alias": "2"}),
        ("update", {"alias": "2"}),
        ("cleanup", {"remaining": 1}),
        ("cleanup", {"remaining": None}),
    ],
)
def test_any_other_end_is_a_problem(part: str, wrong: dict[str, object]) -> None:
    assert problem(part, dataclasses.replace(GOOD[part], **wrong))  # type: ignore[arg-type]


def test_an_alias_that_points_nowhere_is_named() -> None:
    broken = dataclasses.replace(GOOD["broken"], alias="")
    assert problem("broken", broken) == "live went from version 2 to nowhere: the broken release reached users"
    moved = dataclasses.replace(GOOD["broken"], alias="3")
    assert problem("broken", moved) == "live went from version 2 to 3: the broken release reached users"
    update = dataclasses.replace(GOOD["update"], alias="")
    assert problem("update", update) == "the live alias is on version none, the record says 4"
    moved = dataclasses.replace(GOOD["update"], alias="3")
    assert problem("update", moved) == "the live alias is on version 3, the record says 4"
    unchanged = dataclasses.replace(GOOD["update"], live="2", alias="2")
    assert problem("update", unchanged) == "live is version 2, as before the update"


def test_whatever_went_wrong_the_environment_is_removed_next_and_then_it_ends() -> None:
    assert [following(part, "") for part in drills.PARTS] == ["broken", "update", "cleanup", ""]
    assert [following(part, "it broke") for part in drills.PARTS] == ["cleanup", "cleanup", "cleanup", ""]
