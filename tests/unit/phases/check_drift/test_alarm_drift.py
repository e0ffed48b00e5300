"""Facts about drift of the alarms: missing, changed and silenced ones are drift and can be healed."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.alarms import Alarm, AlarmState
from chalicelib.domain.config import AlarmThresholds
from chalicelib.domain.evidence.drift import DRIFT, INFO, DriftFinding
from chalicelib.domain.names import Names
from chalicelib.monitoring.alarms import definitions
from chalicelib.phases.check_drift import alarm_drift

NAMES = Names("dev")
WANTED = definitions(NAMES, AlarmThresholds(), stage="api", topic_arn="arn:topic")
EXISTING = [AlarmState(alarm.name, "arn", "OK", "", alarm) for alarm in WANTED]


def compare(existing: list[AlarmState]) -> list[DriftFinding]:
    return alarm_drift.findings(WANTED, existing)


def test_alarms_as_defined_are_no_drift_whatever_type_cloudwatch_gives_numbers_back_in() -> None:
    returned = [replace(state, definition=_as_returned(state.definition)) for state in EXISTING]
    assert compare(returned) == []


def _as_returned(alarm: Alarm | None) -> Alarm:
    assert alarm is not None
    return replace(alarm, threshold=float(alarm.threshold), actions=list(alarm.actions), metrics=dict(alarm.metrics))


def test_a_missing_a_changed_and_a_silenced_alarm_are_drift_that_can_be_healed() -> None:
    changed = replace(EXISTING[1], definition=replace(WANTED[1], threshold=0.5))
    silenced = replace(EXISTING[2], actions_enabled=False)
    findings = compare([changed, silenced, *EXISTING[3:]])
    assert [(finding.where, finding.heals) for finding in findings] == [
        (WANTED[0].name, True),
        (f"{WANTED[1].name} threshold", True),
        (f"{WANTED[2].name} actions_enabled", True),
    ]


def test_where_a_cloud_does_not_return_metrics_the_other_fields_are_compared() -> None:
    incomplete = replace(EXISTING[0], definition=replace(WANTED[0], metrics={}, expression=""))
    (finding,) = compare([incomplete, *EXISTING[1:]])
    assert (finding.severity, finding.found) == (INFO, "NOT RUN: this cloud does not return the metrics of 1 alarm")
    changed = replace(incomplete, definition=replace(WANTED[0], metrics={}, expression="", threshold=9))
    assert [finding.severity for finding in compare([changed, *EXISTING[1:]])] == [DRIFT, INFO]


def test_an_unexpected_alarm_under_the_prefix_is_a_note_and_not_healed() -> None:
    (finding,) = compare([*EXISTING, AlarmState(NAMES.alarm("mine"), "arn", "OK")])
    assert (finding.severity, finding.heals) == (INFO, False)


def test_a_topic_that_is_gone_is_drift_that_can_be_healed() -> None:
    finding = alarm_drift.topic_gone(NAMES.topic)
    assert (finding.severity, finding.where, finding.heals) == (DRIFT, NAMES.topic, True)


def test_recipients_who_are_too_many_or_missing_can_be_healed() -> None:
    findings = alarm_drift.recipients("topic", ["a@x"], ["b@x"])
    assert [(each.where, each.expected, each.found, each.heals) for each in findings] == [
        ("topic a@x", "no recipient", "subscribed", True),
        ("topic b@x", "subscribed", "no recipient", True),
    ]
