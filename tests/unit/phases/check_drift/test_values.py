"""Facts about values that are compared and shown."""

from __future__ import annotations

from chalicelib.phases.check_drift.values import plain, shorten


def test_up_to_300_characters_of_a_value_are_shown() -> None:
    assert shorten("x" * 300) == "x" * 300
    assert shorten("x" * 301) == "x" * 299 + "…"


def test_a_number_is_the_same_whatever_its_type_and_a_switch_is_no_number() -> None:
    assert plain({"threshold": 3, "on": True, "actions": ("a",)}) == {"threshold": 3.0, "on": True, "actions": ["a"]}
    assert plain(True) is True
