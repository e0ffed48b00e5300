"""A plan says what would run and what may change with it, and has one digest for one meaning."""

from __future__ import annotations

import pytest
from chalicelib.domain.evidence.plan import SettingChange
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.phases.make_plan import plan

ALL = dict.fromkeys((*plan.ACTING, *plan.CHECKING), True)


def would(skipped: dict[str, bool]) -> dict[str, str]:
    return {line.phase: line.would for line in plan.lines(skipped, {})}


def test_when_every_fingerprint_holds_nothing_would_run() -> None:
    assert set(would(ALL).values()) == {"skip"}


def test_what_was_never_applied_would_run() -> None:
    assert set(would({}).values()) == {"run"}


def test_what_follows_a_change_depends_on_it() -> None:
    effects = would({**ALL, "package_artifact": False})
    assert (effects["prepare_secret"], effects["package_artifact"]) == ("skip", "run")
    assert {effects[name] for name in ("deploy_stack", "configure_monitoring", "release_code", "load_test")} == {
        "depends"
    }


def test_no_phase_depends_on_alarms() -> None:
    effects = would({**ALL, "configure_monitoring": False})
    assert [name for name, effect in effects.items() if effect != "skip"] == ["configure_monitoring"]


def test_the_digest_changes_with_a_detail_and_with_nothing_else() -> None:
    digest = plan.digest(plan.lines(ALL, {"deploy_stack": {"changes": ["Modify Stage"]}}))
    same = plan.lines(dict(reversed(ALL.items())), {"deploy_stack": {"changes": ["Modify Stage"]}})
    assert plan.digest(same) == digest
    assert plan.digest(plan.lines(ALL, {"deploy_stack": {"changes": []}})) != digest


def test_the_text_names_every_phase_and_its_facts() -> None:
    text = plan.text(plan.lines({}, {"release_code": {"settings": {"memory_mb": "512 -> 640"}}}))
    assert "~ release_code: would run\n    settings: memory_mb 512 -> 640" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["Modify Stage", "Add Topic"], "Modify Stage; Add Topic"),
        ([], "none"),
        ({"a": "1 -> 2", "b": ["x"]}, "a 1 -> 2; b x"),
        ({}, "none"),
        ("missing", "missing"),
    ],
)
def test_facts_are_one_line_each(value: object, text: str) -> None:
    lines = plan.lines(ALL, {"deploy_stack": {"changes": value}})
    assert f"  deploy_stack: nothing to do\n    changes: {text}\n" in plan.text(lines)


def test_the_text_names_the_phases_that_a_phase_depends_on() -> None:
    text = plan.text(plan.lines({**ALL, "deploy_stack": False, "configure_monitoring": False}, {}))
    assert text.splitlines() == [
        "  prepare_secret: nothing to do",
        "  package_artifact: nothing to do",
        "~ deploy_stack: would run",
        "~ configure_monitoring: would run",
        "? release_code: may change, depends on deploy_stack",
        "? validate_endpoints: may change, depends on deploy_stack",
        "? validate_errors: may change, depends on deploy_stack",
        "? load_test: may change, depends on deploy_stack",
    ]


def test_the_digest_is_that_of_the_plans_json() -> None:
    """An approved plan of an earlier version of the control plane stays approved."""
    lines = plan.lines({**ALL, "load_test": False}, {"deploy_stack": {"changes": ["Modify Stage"]}})
    json = [{"phase": line.phase, "would": line.would, "details": dict(line.details)} for line in lines]
    assert plan.digest(lines) == fingerprint(json)


def test_differences_name_both_sides() -> None:
    assert plan.differences({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"a": "1 -> -", "b": "2 -> 3", "c": "- -> 4"}


def test_a_setting_that_is_set_or_taken_away_shows_a_dash_for_nothing() -> None:
    added = SettingChange("notify", None, ["a@x"])
    assert plan.text([], [added, SettingChange("ttl_hours", 4, None, "users")]).splitlines() == [
        "  notify: - -> a@x (effect: none)",
        "  ttl_hours: 4 -> - (effect: users)",
    ]
