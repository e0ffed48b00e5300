"""The house stays as it is (design §1, style.md): rooms complete, sizes, names, types, and who may act.

Each rule lists every place that breaks it. `tests/unit/house` shows that each of them can fail.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from chalicelib.engine import registry

from tests.house import rooms, rules
from tests.house.source import Module, modules

ROOT = Path(__file__).resolve().parents[1]
CONTROL_PLANE = modules(ROOT / "controlplane", "app", "chalicelib")
PACKAGES = {
    "controlplane": CONTROL_PLANE,
    **{name: modules(ROOT, name) for name in ("proxy", "installer", "local", "ctl", "bench")},
}
ALL = [module for package in PACKAGES.values() for module in package]
IN_ROOMS = [
    module for module in CONTROL_PLANE if module.name.split(".")[1:2] and module.name.split(".")[1] in rooms.ROOMS
]
# Where values come from boto3, which has no types.
UNTYPED = ("chalicelib.adapters", "bench")


def assert_none(offenders: list[str]) -> None:
    """All of them, not only the first."""
    assert not offenders, "\n" + "\n".join(offenders)


each_package = pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)


def test_every_phase_has_a_room_with_what_it_does_what_it_may_do_and_tests() -> None:
    names = (*registry.PHASES, *registry.STEPS)
    assert_none(rooms.incomplete(ROOT / "controlplane" / "chalicelib", ROOT / "tests" / "unit" / "phases", names))


@each_package
def test_every_folder_says_what_lives_there(package: list[Module]) -> None:
    assert_none(rooms.undescribed(package))


def test_only_modules_whose_names_say_so_reach_aws_the_network_the_clock_or_chance() -> None:
    assert_none(rooms.acting(CONTROL_PLANE))


@each_package
def test_no_module_is_longer_than_two_screens(package: list[Module]) -> None:
    assert_none(rules.too_long(package))


@each_package
def test_no_folder_has_more_modules_than_a_reader_oversees(package: list[Module]) -> None:
    assert_none(rules.too_many(package, exempt=("adapters", "ports")))


@each_package
def test_imports_are_no_deeper_than_ten_and_never_go_round(package: list[Module]) -> None:
    assert_none(rules.too_deep(package))


@each_package
def test_evidence_and_cursors_are_never_looked_up_by_text(package: list[Module]) -> None:
    assert_none(rules.looked_up_by_text(package))


@pytest.mark.parametrize("package", [*PACKAGES.values(), modules(ROOT, "judges"), modules(ROOT, "tests")])
def test_no_name_is_a_riddle(package: list[Module]) -> None:
    assert_none(rules.riddling(package))


def test_public_functions_of_phases_and_capabilities_are_documented() -> None:
    assert_none(rules.undocumented(IN_ROOMS))


def test_public_functions_of_phases_and_capabilities_name_the_errors_that_they_raise() -> None:
    assert_none(rules.unannounced(IN_ROOMS))


@each_package
def test_every_function_is_annotated(package: list[Module]) -> None:
    assert_none(rules.unannotated(package))


@pytest.mark.parametrize("package", [package for name, package in PACKAGES.items() if name != "bench"])
def test_functions_are_short(package: list[Module]) -> None:
    assert_none(rules.long_functions(package))


def test_any_is_rare_where_values_have_types() -> None:
    assert_none(rules.untyped([module for module in ALL if not module.name.startswith(UNTYPED)]))
