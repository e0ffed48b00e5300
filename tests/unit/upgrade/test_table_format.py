"""Migrations of the table: forward, back, interrupted, and turned round half-way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chalicelib.domain.aws.table_items import FormatState
from chalicelib.domain.errors import PhaseFailed
from chalicelib.upgrade.formats import migrate, table_format
from chalicelib.upgrade.formats.migrate import Progress, Task
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.own_control_plane import OwnControlPlane

RECORDED = Path(__file__).resolve().parents[2] / "fixtures" / "records" / "table.json"
PLACES = ("listed", "listed_all", "at")


def plane(items: list[dict[str, Any]], state: FormatState) -> OwnControlPlane:
    return OwnControlPlane(items=items, state=state)


def to_its_end(own: OwnControlPlane, to: int) -> int:
    """How many items changed."""
    changed = 0
    for _ in range(1_000):
        progress = migrate.migrate(Task(to), own.as_aws())
        changed += progress.changed
        if progress.done:
            return changed
    raise AssertionError("it never ends")


def places(own: OwnControlPlane) -> dict[str, dict[str, Any]]:
    """Which item of each record is in the indices, and where."""
    listed = [item for item in own.items if "listed_all" in item]
    assert len({item["pk"]["S"] for item in listed}) == len(listed), "a record is listed twice"
    return {item["pk"]["S"]: {name: item[name] for name in PLACES if name in item} for item in listed}


def recorded() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(RECORDED.read_text())
    return items


def test_the_recorded_table_of_format_1_gets_format_2_and_back_without_a_record_leaving_the_lists() -> None:
    own = plane(recorded(), FormatState(1))
    before = places(own)
    assert to_its_end(own, 2) == len(before) > 10
    assert places(own) == before
    assert not any("listed_all" in item for item in own.items if item["sk"] == {"S": "META"})
    assert to_its_end(own, 1) == len(before)
    assert places(own) == before
    assert sorted(map(str, own.items)) == sorted(map(str, plane(own.items, own.state).items))
    assert {item["pk"]["S"]: item for item in own.items} == {item["pk"]["S"]: item for item in recorded()}


def record(number: int, *, new: bool) -> list[dict[str, Any]]:
    meta = {"pk": {"S": f"DEPLOYMENT#d-{number:05}"}, "sk": {"S": "META"}, "status": {"S": "SUCCEEDED"}}
    place = {"listed": {"S": "ENVIRONMENT#a"}, "listed_all": {"S": "ALL"}, "at": {"S": f"t#{number}"}}
    return [meta, {**meta, "sk": {"S": "LISTED"}, **place}] if new else [{**meta, **place}]


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 4), st.sampled_from([1, 2]), st.sampled_from([1, 2]))
def test_whatever_shapes_there_are_and_wherever_it_stops_all_items_get_the_format(
    shapes: list[bool], stops: int, first: int, then: int
) -> None:
    items = [item for number, new in enumerate(shapes) for item in record(number, new=new)]
    present = 1 if False in shapes else 2
    own = plane(items, FormatState(present))
    before = places(own)
    small, migrate.PAGES, migrate.ITEMS = (migrate.PAGES, migrate.ITEMS), 1, 2
    try:
        for _ in range(stops):
            if migrate.migrate(Task(first), own.as_aws()).done:
                break
        to_its_end(own, then)
    finally:
        migrate.PAGES, migrate.ITEMS = small
    assert own.state == FormatState(then)
    assert places(own) == before
    listed = {item["sk"]["S"] for item in own.items if "listed_all" in item}
    if then == 2:
        assert listed <= {"LISTED"}
    elif present == 2:  # the earlier version wrote both shapes under format 1
        assert listed <= {"META"}


def test_a_table_that_has_the_format_is_not_read() -> None:
    own = plane(record(1, new=False), FormatState(2))
    assert migrate.migrate(Task(2), own.as_aws()) == Progress(True, 2, 0)
    assert places(own)


@pytest.mark.parametrize(
    ("state", "to"), [(FormatState(3), 2), (FormatState(2, moving_to=3), 1), (FormatState(2), 3), (FormatState(2), 0)]
)
def test_a_format_that_this_version_does_not_know_is_refused_in_words(state: FormatState, to: int) -> None:
    with pytest.raises(PhaseFailed) as refused:
        migrate.migrate(Task(to), plane([], state).as_aws())
    assert (refused.value.code, "newer version" in str(refused.value.remedy)) == ("TableFormatUnknown", True)


def test_each_migration_leads_to_the_format_after_the_one_before() -> None:
    assert [each.to for each in table_format.MIGRATIONS] == list(range(2, table_format.FORMAT + 1))


def test_the_item_of_a_list_has_what_the_list_shows() -> None:
    meta: Any = record(1, new=False)[0] | {"environment": {"S": "a"}, "config": {"M": {}}}
    put, update = table_format.MIGRATIONS[0].forward(meta)
    assert set(put["Put"]["Item"]) == {"pk", "sk", *PLACES, "status", "environment"}  # type: ignore[call-overload]
    assert "REMOVE" in str(update)
    environment = {"pk": {"S": "ENVIRONMENT#a"}, "sk": {"S": "META"}, "status": {"S": "LIVE"}}
    (put, _) = table_format.MIGRATIONS[0].forward(environment | {"listed_all": {"S": "E"}, "at": {"S": "a"}})
    assert set(put["Put"]["Item"]) == {"pk", "sk", "listed_all", "at"}  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("present", "wanted", "taken"),
    [(1, 1, ""), (1, 2, "F2"), (2, 2, ""), (2, 3, "F3"), (1, 3, "F2 F3"), (3, 3, ""), (3, 2, "B3"), (2, 1, "B2"),
     (3, 1, "B3 B2")],
)  # fmt: skip
def test_an_item_goes_through_each_format_between(
    present: int, wanted: int, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(name: str) -> Any:
        return lambda _: ({"Put": {"name": name}},)

    two = [table_format.Migration(to, step(f"F{to}"), step(f"B{to}")) for to in (2, 3)]
    monkeypatch.setattr(table_format, "MIGRATIONS", tuple(two))
    names = [str(write["Put"]["name"]) for each in table_format.steps(present, wanted) for write in each({})]
    assert " ".join(names) == taken
