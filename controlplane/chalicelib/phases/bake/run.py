"""Watches alarms, failures and times while the new version serves all users. A bad sign fails the deployment.

An alarm that fires is one; so is a version that fails, or takes long, more often than the one before did, see
`release.against_record`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.checks.comparison.comparison_words import phrase_record
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import BakeEvidence, ShiftEvidence
from chalicelib.domain.evidence.stack import SettingsEvidence
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws
from chalicelib.release.shifting import firing, watch_s

from .cursor import BakeCursor
from .observe import observe

# A fault shows early or late: looks are frequent at first and rarer later. A day takes 330 of them, 3,000 of the 25,000
# events that an execution's history may have.
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 30.0, 300.0
_SHARE_OF_ELAPSED = 0.05
# How long logs are kept, and whether the stack may be deleted, is nothing that a request could fail of.
_UNFELT = frozenset({"LogRetentionDays", "protected"})


def run(request: Request, aws: Aws) -> Result[BakeEvidence]:
    """Read the alarms once; done when the bake's time is over. Raises PhaseFailed: AlarmFired, NoAlarms,
    CanaryWorse."""
    if skipped := unchanged(request, aws):
        return skipped
    shift = request.results.of(ShiftEvidence)
    states = {alarm.name: alarm.state for alarm in aws.alarms.find(request.names.alarm(""))}
    _refuse(states, shift.version)
    rows, cursor = observe(shift, request.cursor_as(BakeCursor), request, aws)
    failures = "; ".join(map(phrase_record, rows))
    seconds = watch_s(request.options.bake, embedded=aws.settings.embedded)
    left = seconds - request.elapsed_s
    looks = cursor.looks + 1
    if left > 0:
        return Result.in_progress(
            f"{len(states)} alarms are quiet{failures and f'; {failures}'}; {left:.0f} s left to watch",
            poll_after_s=_next_look_s(request.elapsed_s, left),
            cursor=replace(cursor, looks=looks),
        )
    without_data = tuple(sorted(name for name, state in states.items() if state == "INSUFFICIENT_DATA"))
    return Result.done(
        f"{len(states)} alarms stayed quiet for {seconds} s (read {looks} times){failures and f'; {failures}'}",
        BakeEvidence(states, looks, seconds, without_data, failures, rows),
    )


def unchanged(request: Request, aws: Aws) -> Result[BakeEvidence] | None:
    """SKIPPED when users got neither another version nor a setting that a request can feel; else None."""
    shift = request.results.find(ShiftEvidence)
    settings = request.results.find(SettingsEvidence) or SettingsEvidence()
    if shift is None or (shift.from_version is None and settings.changed.keys() <= _UNFELT):
        return Result.skipped("Nothing to watch: no traffic was moved and no setting of users changed")
    return None


def _next_look_s(elapsed_s: float, left_s: float) -> int:
    """Seconds until the alarms are read again."""
    wait_s = min(_LONGEST_WAIT_S, max(_SHORTEST_WAIT_S, elapsed_s * _SHARE_OF_ELAPSED))
    return round(min(wait_s, left_s))


def _refuse(states: Mapping[str, str], version: str) -> None:
    if fired := firing(states):
        raise PhaseFailed(
            f"{', '.join(fired)} fired while version {version} served all traffic",
            code="AlarmFired",
            remedy="Look at the alarm's metric and the function's log. The rollback restores the traffic.",
            evidence={"alarms": list(fired)},
        )
    if not states:
        raise PhaseFailed(
            "the environment has no alarms, so the bake would prove nothing",
            code="NoAlarms",
            remedy="Deploy again with options.force; configure_monitoring then creates them.",
        )


PHASE = Definition(run, BakeEvidence, BakeCursor, unchanged=unchanged)
