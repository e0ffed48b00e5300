"""Drift of the alarms and their topic: missing, changed, or without actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.domain.aws.alarms import Alarm, AlarmState
from chalicelib.domain.evidence.drift import INFO, DriftFinding
from chalicelib.domain.words import counted

from .values import plain, shorten

_REMEDY = "Revalidate with options.heal, or deploy with options.force."
_COMPARED = ("threshold", "periods", "datapoints", "actions")
_METRIC_MATH = ("metrics", "expression")


def topic_gone(topic: str) -> DriftFinding:
    """The topic of that name does not exist."""
    return DriftFinding("alarm", topic, "there", "gone (the topic)", _REMEDY, heals=True)


def shown_nowhere(what: str) -> DriftFinding:
    """The dashboard or a metric filter does not exist: nobody is paged by it, and the next deploy makes it again."""
    return DriftFinding("alarm", what, "there", "gone", "Deploy: phase configure_monitoring makes it again.")


def recipients(topic: str, extra: Iterable[str], missing: Iterable[str]) -> list[DriftFinding]:
    """Who gets the alarms though `config.notify` does not name them, and who does not though it does."""
    return [
        *(DriftFinding("alarm", f"{topic} {who}", "no recipient", "subscribed", _REMEDY, heals=True) for who in extra),
        *(
            DriftFinding("alarm", f"{topic} {who}", "subscribed", "no recipient", _REMEDY, heals=True)
            for who in missing
        ),
    ]


def findings(recorded: Iterable[Alarm], existing: Iterable[AlarmState]) -> list[DriftFinding]:
    """Alarms that are missing or changed, and unexpected alarms under the environment's prefix.

    existing: alarms without `definition` are compared by `actions_enabled` only.
    """
    states = {state.name: state for state in existing}
    wanted = {alarm.name: alarm for alarm in recorded}
    return [
        *(finding for alarm in wanted.values() for finding in _of_alarm(alarm, states.get(alarm.name))),
        *_without_metrics(states.values()),
        *(_unexpected(name) for name in sorted(set(states) - set(wanted))),
    ]


def _of_alarm(alarm: Alarm, state: AlarmState | None) -> Iterator[DriftFinding]:
    if state is None:
        yield DriftFinding("alarm", alarm.name, "there", "gone", _REMEDY, heals=True)
        return
    for field, expected, actual in _differences(alarm, state):
        yield DriftFinding("alarm", f"{alarm.name} {field}", expected, actual, _REMEDY, heals=True)


def _differences(alarm: Alarm, state: AlarmState) -> Iterator[tuple[str, str, str]]:
    """(field, expected, actual) of each field that differs."""
    defined = state.definition
    if defined is not None:
        # The embedded cloud does not return metric math (docs/fidelity.md).
        for field in (*_COMPARED, *(_METRIC_MATH if defined.metrics else ())):
            expected, actual = plain(getattr(alarm, field)), plain(getattr(defined, field))
            if expected != actual:
                yield field, shorten(expected), shorten(actual)
    if not state.actions_enabled:
        yield "actions_enabled", "true", "false"


def _without_metrics(states: Iterable[AlarmState]) -> list[DriftFinding]:
    count = sum(state.definition is not None and not state.definition.metrics for state in states)
    if not count:
        return []
    why = f"NOT RUN: this cloud does not return the metrics of {counted(count, 'alarm')}"
    return [DriftFinding("alarm", "metrics", "as defined", why, "Nothing to do.", INFO)]


def _unexpected(name: str) -> DriftFinding:
    remedy = "Rename it: every alarm under this prefix stops rollouts, and the next deployment deletes it."
    return DriftFinding("alarm", name, "none of this name", "there", remedy, INFO)
