"""Alarms by their dimensions: replaces the emulator's evaluation, which pools all dimensions and ignores
DatapointsToAlarm and missing data.

An alarm is evaluated when its metric gets data and otherwise once a period, as CloudWatch does: a state that
SetAlarmState gave lasts until then.
"""

import time
from collections.abc import Mapping
from typing import Any

from local.inside.alarm_rules import EXTRA_PERIODS, Rule, enough_samples, next_state

Alarm = dict[str, Any]
_LOW_SAMPLES = "EvaluateLowSampleCountPercentile"


def install(cloudwatch: Any, now: Any = time.time) -> None:
    """Patch MiniStack's module `services.cloudwatch`."""
    _keep_low_sample_rule(cloudwatch)
    evaluator = Evaluator(cloudwatch, now)
    cloudwatch._evaluate_alarm = evaluator.evaluate
    cloudwatch._evaluate_all_alarms = evaluator.evaluate_due


def _keep_low_sample_rule(cloudwatch: Any) -> None:
    """The emulator drops EvaluateLowSampleCountPercentile from PutMetricAlarm."""
    put = cloudwatch._put_metric_alarm

    def put_metric_alarm(params: Any, document: Any, is_cbor: bool, is_json: bool = False) -> Any:
        reply = put(params, document, is_cbor, is_json)
        given = document if is_cbor or is_json else params
        alarm = cloudwatch._alarms.get(_text(given.get("AlarmName")))
        rule = _text(given.get(_LOW_SAMPLES))
        if alarm and rule:
            alarm[_LOW_SAMPLES] = rule
        return reply

    cloudwatch._put_metric_alarm = put_metric_alarm


def _text(value: Any) -> str:
    """A parameter of either protocol: a form's values are lists."""
    return str((value[0] if isinstance(value, list) else value) or "")


class Evaluator:
    """Decides states from the emulator's stored datapoints, and lets it record and notify."""

    def __init__(self, cloudwatch: Any, now: Any) -> None:
        self._cloudwatch, self._now = cloudwatch, now
        self._evaluated: dict[str, tuple[float, int]] = {}

    def evaluate_due(self) -> None:
        """Alarms whose metric has grown, and those that nobody has evaluated for a period."""
        for alarm in list(self._cloudwatch._alarms.values()):
            if alarm.get("MetricName") and self._is_due(alarm):
                self.evaluate(alarm)

    def _is_due(self, alarm: Alarm) -> bool:
        at, size = self._evaluated.get(alarm["AlarmArn"], (0.0, -1))
        idle_since = max(at, float(alarm.get("StateUpdatedTimestamp", 0)))
        return size != len(self._points(alarm)) or self._now() - idle_since >= alarm["Period"]

    def evaluate(self, alarm: Alarm) -> None:
        """Set the state that the datapoints give, notifying if it is another one."""
        if not alarm.get("MetricName"):
            return  # metric math: the emulator does not keep the expression
        points = self._points(alarm)
        self._evaluated[alarm["AlarmArn"]] = (self._now(), len(points))
        rule, current = rule_of(alarm), str(alarm["StateValue"])
        values = [self._value(alarm, period) for period in self._periods(alarm, points)]
        state = next_state(rule, values, current)
        if state != current:
            self._change(alarm, current, state, f"{rule.datapoints} of {rule.periods} datapoints decide: {values}")

    def _points(self, alarm: Alarm) -> list[Alarm]:
        dimensions = {item["Name"]: item["Value"] for item in alarm.get("Dimensions") or []}
        key = (alarm["Namespace"], alarm["MetricName"], self._cloudwatch._dims_key(dimensions))
        return list(self._cloudwatch._metrics.get(key) or [])

    def _periods(self, alarm: Alarm, points: list[Alarm]) -> list[list[Alarm]]:
        """The points of each period of the evaluation range, the oldest first; the last one ends now."""
        length, count = alarm["Period"], alarm["EvaluationPeriods"] + EXTRA_PERIODS
        now = self._now()
        periods: list[list[Alarm]] = [[] for _ in range(count)]
        for point in points:
            age = int(max(now - point["Timestamp"], 0) // length)
            if age < count:
                periods[count - 1 - age].append(point)
        return periods

    def _value(self, alarm: Alarm, points: list[Alarm]) -> float | None:
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        stats = self._cloudwatch._calc_stats(points)
        if not stats:
            return None
        ignores_few = alarm.get(_LOW_SAMPLES) == "ignore"
        if ignores_few and not enough_samples(statistic, stats["SampleCount"]):
            return None
        value = self._cloudwatch._stat_value(stats, statistic, points)
        return None if value is None else float(value)

    def _change(self, alarm: Alarm, old: str, new: str, reason: str) -> None:
        alarm |= {"StateValue": new, "StateReason": reason, "StateUpdatedTimestamp": int(self._now())}
        self._cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
        self._cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
        self._cloudwatch._evaluate_parent_alarms(alarm)


def rule_of(alarm: Mapping[str, Any]) -> Rule:
    """The rule of an alarm as MiniStack stores it."""
    periods = int(alarm["EvaluationPeriods"])
    return Rule(
        comparison=str(alarm["ComparisonOperator"]),
        threshold=float(alarm["Threshold"]),
        periods=periods,
        datapoints=int(alarm.get("DatapointsToAlarm") or periods),
        missing=str(alarm.get("TreatMissingData") or "missing"),
    )
