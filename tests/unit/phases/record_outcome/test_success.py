"""A success is summed up by the step that did the work."""

from __future__ import annotations

import pytest
from chalicelib.domain.model import Action, PhaseRecord, PhaseStatus
from chalicelib.phases.record_outcome.success import summary

ACTING = ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code")


def skipped(*names: str) -> list[PhaseRecord]:
    return [PhaseRecord(1, name, PhaseStatus.SKIPPED, evidence={"version": "7"}) for name in names]


@pytest.mark.parametrize("ran", ACTING)
def test_a_deploy_is_a_no_op_only_when_every_acting_phase_was_skipped(ran: str) -> None:
    assert summary(Action.DEPLOY, skipped(*ACTING), ()) == "No change: the environment already runs this release"
    others = [name for name in ACTING if name != ran]
    acted = [*skipped(*others), PhaseRecord(1, ran, PhaseStatus.SUCCEEDED, evidence={"version": "7"})]
    assert summary(Action.DEPLOY, acted, ()) == "Version 7 serves all traffic"
    assert "serves all traffic" in summary(Action.DEPLOY, skipped(*others), ())


def test_settings_that_only_the_record_holds_are_named() -> None:
    expected = "Kept on record: notify, webhook; the environment already runs this release"
    assert summary(Action.DEPLOY, skipped(*ACTING), ("webhook", "notify")) == expected


def test_a_version_that_nobody_recorded_is_a_question_mark() -> None:
    assert summary(Action.DEPLOY, [], ()) == "Version ? serves all traffic"
    record = PhaseRecord(6, "release_code", PhaseStatus.SUCCEEDED)
    assert summary(Action.DEPLOY, [record], ()) == "Version ? serves all traffic"


@pytest.mark.parametrize(
    ("action", "steps", "default"),
    [
        (Action.PLAN, ["make_plan"], "Planned"),
        (Action.ROLLBACK, ["roll_back", "restore_settings"], "Rolled back"),
        (Action.CLEANUP, ["clean_up"], "Cleaned up"),
        (Action.DRILL, ["run_drill"], "Drilled"),
        (Action.REVALIDATE, [], "All checks passed"),
    ],
)
def test_another_action_quotes_its_steps(action: Action, steps: list[str], default: str) -> None:
    records = [PhaseRecord(0, step, PhaseStatus.SUCCEEDED, summary=f"{step} did it") for step in steps]
    assert summary(action, records, ()) == (". ".join(f"{step} did it" for step in steps) or default)
    assert summary(action, [], ()) == default
