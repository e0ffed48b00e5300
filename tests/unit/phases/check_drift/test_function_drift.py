"""Facts about drift of the function: its live alias and the live version's settings."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.functions import Alias, FunctionSettings
from chalicelib.domain.evidence.drift import DRIFT, INFO
from chalicelib.phases.check_drift.function_drift import alias_findings, settings_findings


def test_an_alias_on_another_version_or_with_weights_left_over_is_drift_that_can_be_healed() -> None:
    candidate = {"candidate": Alias("candidate", "9")}
    assert alias_findings("f", {"live": Alias("live", "3"), **candidate}, "3") == []
    (other,) = alias_findings("f", {"live": Alias("live", "2"), **candidate}, "3")
    (weights,) = alias_findings("f", {"live": Alias("live", "3", {"4": 0.1}), **candidate}, "3")
    assert (other.found, other.heals, other.deliberate) == ("version 2", True, True)
    assert weights.found == "version 3 with 10% to 4"


def test_each_alias_that_is_gone_is_drift_that_can_be_healed() -> None:
    findings = alias_findings("f", {}, "3")
    assert [(finding.where, finding.severity, finding.heals, finding.deliberate) for finding in findings] == [
        ("f:live", DRIFT, True, False),
        ("f:candidate", DRIFT, True, False),
    ]


def test_settings_are_compared_with_the_record_and_an_edit_of_latest_is_a_note() -> None:
    live = FunctionSettings(512, 29, {"LOG_LEVEL": "INFO"})
    assert settings_findings("f", live, live, live) == []
    (edited,) = settings_findings("f", live, replace(live, memory_mb=128), live)
    assert (edited.severity, edited.found) == (INFO, "other in memory_mb")
    other = FunctionSettings(512, 29, {"LOG_LEVEL": "DEBUG", "NEW": "1"})
    findings = settings_findings("f", other, other, live)
    assert {(finding.where, finding.expected, finding.found, finding.severity) for finding in findings} == {
        ("f:live environment LOG_LEVEL", "INFO", "DEBUG", DRIFT),
        ("f:live environment NEW", "unset", "1", INFO),
    }


def test_settings_without_a_record_are_not_checked() -> None:
    live = FunctionSettings(512, 29, {})
    (finding,) = settings_findings("f", live, live, None)
    assert finding.severity == INFO
    assert finding.found.startswith("NOT RUN")
