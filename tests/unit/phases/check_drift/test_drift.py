"""What counts as drift, what is only worth knowing, and what belongs to releases and so is neither."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chalicelib.domain.aws.alarms import Alarm, AlarmState
from chalicelib.domain.aws.functions import Alias, FunctionSettings
from chalicelib.domain.aws.stacks import ResourceDrift
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions
from chalicelib.phases.check_drift import drift
from chalicelib.phases.check_drift.drift import DRIFT, INFO

NAMES = Names("dev")
WANTED = definitions(NAMES, AlarmThresholds(), stage="api", topic_arn="arn:topic")
STANDING = [AlarmState(alarm.name, "arn", "OK", "", alarm) for alarm in WANTED]


def alarms(standing: list[AlarmState], *, topic: bool = True) -> list[drift.Finding]:
    return drift.of_alarms(WANTED, standing, topic=topic, names=NAMES)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("AWS::Lambda::Function", "/MemorySize"),
        ("AWS::Lambda::Function", "/Environment/Variables/LOG_LEVEL"),
        ("AWS::Lambda::Function", "/Code/S3Key"),
        ("AWS::Lambda::Alias", "/FunctionVersion"),
        ("AWS::Lambda::Alias", "/RoutingConfig/AdditionalVersionWeights"),
    ],
)
def test_what_a_release_changes_is_no_drift_of_the_stack(kind: str, path: str) -> None:
    changed = ResourceDrift("Thing", kind, "MODIFIED", [(path, "a", "b")])
    assert drift.of_stack("s", [changed]) == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("AWS::Lambda::Function", "/ReservedConcurrentExecutions"),
        ("AWS::Lambda::Function", "/Timeouts"),  # begins like one that is ours, and is another
        ("AWS::IAM::Role", "/Policies/0"),
        ("AWS::Logs::LogGroup", "/RetentionInDays"),
    ],
)
def test_any_other_change_behind_cloudformations_back_is_drift(kind: str, path: str) -> None:
    (found,) = drift.of_stack("s", [ResourceDrift("Thing", kind, "MODIFIED", [(path, "14", "1")])])
    assert (found.severity, found.expected, found.found, found.heals) == (DRIFT, "14", "1", False)
    assert path in found.where
    assert "REVERT_DRIFT" in found.remedy


def test_a_deleted_resource_is_drift_but_for_the_first_version_which_release_code_prunes() -> None:
    gone = [ResourceDrift("Role", "AWS::IAM::Role", "DELETED"), ResourceDrift("V", "AWS::Lambda::Version", "DELETED")]
    assert [one.where for one in drift.of_stack("s", gone)] == ["Role (AWS::IAM::Role)"]


def test_an_alias_on_another_version_or_with_weights_left_over_is_drift_that_can_be_healed() -> None:
    assert drift.of_aliases("f", {"live": Alias("live", "3")}, "3") == []
    (other,) = drift.of_aliases("f", {"live": Alias("live", "2")}, "3")
    (weights,) = drift.of_aliases("f", {"live": Alias("live", "3", {"4": 0.1})}, "3")
    assert (other.found, other.heals) == ("version 2", True)
    assert weights.found == "version 3 with 10% to 4"


def test_an_alias_that_is_gone_cannot_be_healed_here() -> None:
    (found,) = drift.of_aliases("f", {}, "3")
    assert (found.severity, found.heals) == (DRIFT, False)


def test_settings_are_held_against_the_record_and_a_hand_on_latest_is_only_told() -> None:
    live = FunctionSettings(512, 29, {"LOG_LEVEL": "INFO"})
    assert drift.of_settings("f", live, live, live) == []
    (edited,) = drift.of_settings("f", live, replace(live, memory_mb=128), live)
    assert (edited.severity, edited.found) == (INFO, "other in memory_mb")
    other = FunctionSettings(512, 29, {"LOG_LEVEL": "DEBUG", "NEW": "1"})
    found = drift.of_settings("f", other, other, live)
    assert {(one.where, one.expected, one.found, one.severity) for one in found} == {
        ("f:live environment LOG_LEVEL", "INFO", "DEBUG", DRIFT),
        ("f:live environment NEW", "unset", "1", INFO),
    }


def test_settings_without_a_record_are_said_to_be_unchecked() -> None:
    live = FunctionSettings(512, 29, {})
    (found,) = drift.of_settings("f", live, live, None)
    assert found.severity == INFO
    assert found.found.startswith("NOT RUN")


def test_a_rotated_key_is_told_a_malformed_or_missing_secret_is_drift() -> None:
    assert drift.of_secret("s", "v1", "v1", "") == []
    assert [one.severity for one in drift.of_secret("s", "v2", "v1", "")] == [INFO]
    assert [one.severity for one in drift.of_secret("s", "v2", "v1", "api_key is missing")] == [DRIFT]
    assert [one.severity for one in drift.of_secret("s", "", "v1", "", gone="gone")] == [DRIFT]


def test_alarms_as_defined_are_no_drift_whatever_type_cloudwatch_gives_numbers_back_in() -> None:
    told = [replace(one, definition=_from_the_wire(one.definition)) for one in STANDING]
    assert alarms(told) == []


def _from_the_wire(alarm: Alarm | None) -> Alarm:
    assert alarm is not None
    return replace(alarm, threshold=float(alarm.threshold), actions=list(alarm.actions), metrics=dict(alarm.metrics))


def test_a_missing_a_changed_and_a_silenced_alarm_are_drift_that_can_be_healed() -> None:
    changed = replace(STANDING[1], definition=replace(WANTED[1], threshold=0.5))
    silenced = replace(STANDING[2], actions_enabled=False)
    found = alarms([changed, silenced, *STANDING[3:]])
    assert [(one.where, one.heals) for one in found] == [
        (WANTED[0].name, True),
        (f"{WANTED[1].name} threshold", True),
        (f"{WANTED[2].name} actions_enabled", True),
    ]


def test_where_a_cloud_does_not_tell_what_an_alarm_watches_that_is_said_and_the_rest_is_compared() -> None:
    untold = replace(STANDING[0], definition=replace(WANTED[0], metrics={}, expression=""))
    (found,) = alarms([untold, *STANDING[1:]])
    assert (found.severity, found.found) == (INFO, "NOT RUN: this cloud does not tell what 1 alarms watch")
    changed = replace(untold, definition=replace(WANTED[0], metrics={}, expression="", threshold=9))
    assert [one.severity for one in alarms([changed, *STANDING[1:]])] == [DRIFT, INFO]


def test_someone_elses_alarm_under_our_prefix_is_told_and_left_alone() -> None:
    (found,) = alarms([*STANDING, AlarmState(NAMES.alarm("mine"), "arn", "OK")])
    assert (found.severity, found.heals) == (INFO, False)


def test_a_topic_that_is_gone_is_drift() -> None:
    (found,) = alarms(STANDING, topic=False)
    assert (found.severity, found.where) == (DRIFT, NAMES.topic)
