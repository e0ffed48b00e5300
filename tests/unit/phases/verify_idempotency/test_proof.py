"""What counts as proof that a second deployment would change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.phases.verify_idempotency import proof

from tests.fakes.requests import environment, release


def test_phases_are_unchanged_changed_or_wait_for_an_open_check() -> None:
    evidence = {"prepare_secret": {"access": {"stranger": "NOT RUN: no role"}}, "release_code": {"version": "3"}}
    skipped = {"release_code": False, "prepare_secret": False, "package_artifact": True, "deploy_stack": True}
    assert proof.replan(skipped, evidence) == proof.Replan(
        unchanged=("deploy_stack", "package_artifact"), open=("prepare_secret",), changed=("release_code",)
    )


def test_a_skipped_phase_with_an_open_check_is_unchanged() -> None:
    plan = proof.replan({"prepare_secret": True}, {"prepare_secret": {"access": "NOT RUN: no role"}})
    assert (plan.unchanged, plan.open) == (("prepare_secret",), ())


@pytest.mark.parametrize(
    ("evidence", "is_open"),
    [
        ("NOT RUN: no role", True),
        ("allowed; the other was NOT RUN", False),
        ({"a": {"b": "NOT RUN"}}, True),
        ({"a": {"b": "allowed"}}, False),
        (None, False),
    ],
)
def test_a_check_is_open_when_its_text_begins_with_not_run(evidence: object, is_open: bool) -> None:
    assert proof.has_open_check(evidence) is is_open


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", ""])
def test_the_other_level_is_another_one(level: str) -> None:
    assert proof.other_level(level) not in (level, "")


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({}, []),
        ({"level": "DEBUG"}, ["the setting did not change"]),
        ({"code_sha256": "other"}, ["the code changed with the setting"]),
        ({"stack_was_updated_at": "earlier"}, ["the stack was updated for it"]),
    ],
)
def test_a_changed_setting_must_be_the_only_change(change: dict[str, Any], problems: list[str]) -> None:
    function = FunctionConfig("sha", 256, 29, {"LOG_LEVEL": "INFO"}, "python3.11")
    facts = {"level": "INFO", "code_sha256": "sha", "stack_updated_at": "t", "stack_was_updated_at": "t"} | change
    assert proof.change_problems(function, **facts) == problems


@pytest.mark.parametrize(
    ("last_good", "previous", "existing", "earlier"),
    [
        ("3", "2", ["1", "2", "3", "4"], "3"),
        ("4", "2", ["1", "2", "3", "4"], "2"),
        ("3", "2", ["1", "2", "4"], "2"),
        ("3", "2", ["1", "4"], "1"),
        (None, None, ["1", "2", "4"], "1"),
        (None, None, ["4", "5"], ""),
        (None, None, ["4"], ""),
    ],
)
def test_the_earlier_version_is_a_good_one_that_still_exists_else_the_oldest(
    last_good: str | None, previous: str | None, existing: list[str], earlier: str
) -> None:
    record = environment(
        last_good=release(last_good) if last_good else None, previous=release(previous) if previous else None
    )
    assert proof.earlier_version(record, existing, "4") == earlier
