"""A plan says what would run, what would look again, and has one digest for one meaning."""

from __future__ import annotations

from chalicelib.phases.make_plan import plan

ALL = dict.fromkeys((*plan.ACTING, *plan.CHECKING), True)


def would(skipped: dict[str, bool]) -> dict[str, str]:
    return {line.phase: line.would for line in plan.lines(skipped, {})}


def test_when_every_fingerprint_holds_nothing_would_run() -> None:
    assert plan.is_empty(plan.lines(ALL, {}))


def test_what_was_never_applied_would_run() -> None:
    assert set(would({}).values()) == {"run"}


def test_what_comes_after_something_new_would_look_again() -> None:
    told = would({**ALL, "package_artifact": False})
    assert (told["prepare_secret"], told["package_artifact"]) == ("skip", "run")
    assert {told[name] for name in ("deploy_stack", "configure_monitoring", "release_code", "load_test")} == {"depends"}


def test_alarms_alone_make_nobody_look_again() -> None:
    told = would({**ALL, "configure_monitoring": False})
    assert [name for name, what in told.items() if what != "skip"] == ["configure_monitoring"]


def test_the_digest_changes_with_a_detail_and_with_nothing_else() -> None:
    one = plan.digest(plan.lines(ALL, {"deploy_stack": {"changes": ["Modify Stage"]}}))
    assert one == plan.digest(plan.lines(dict(reversed(ALL.items())), {"deploy_stack": {"changes": ["Modify Stage"]}}))
    assert one != plan.digest(plan.lines(ALL, {"deploy_stack": {"changes": []}}))


def test_the_text_names_every_phase_and_its_facts() -> None:
    said = plan.text(plan.lines({}, {"release_code": {"settings": {"memory_mb": "512 -> 640"}}}))
    assert "~ release_code: would run\n    settings: memory_mb 512 -> 640" in said


def test_differences_name_both_sides() -> None:
    assert plan.differences({"a": 1, "b": 2}, {"b": 3, "c": 4}) == {"a": "1 -> -", "b": "2 -> 3", "c": "- -> 4"}
