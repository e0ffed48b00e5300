"""Phase 5: creates alarms, topic, dashboard, saved queries and metric filters, then tests them.

Three steps: apply everything and fire each alarm; wait for the notifications and reset the alarms; follow one request
through the logs. The resources are not part of the stack, so that a changed threshold needs no stack update.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.topics import Probe
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.monitoring import MonitoringEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.words import counted
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result, Status
from chalicelib.monitoring import apply, dashboard, fire, inspect
from chalicelib.ports import Aws

from . import correlate
from .cursor import MonitoringCursor

# Longer than the minute that a change of an SQS or SNS policy may take to act.
_NOTIFICATION_TIMEOUT_S = 90
_FIRE_AGAIN_S = 15


def fingerprint(request: Request, aws: Aws) -> str:
    """Hash of all that this phase defines, the stack's id, and what someone deleted or changed of it since.

    The retention is left out: the stack gives users a new one (apply_settings), and `differences` names any third one.
    """
    names = request.names
    return fingerprint_of(
        list(apply.definitions(request, "the topic", request.config.alarms)),
        apply.dashboard_body(request, aws, [], {}),
        [*dashboard.queries(names), *dashboard.filters(names)],
        list(request.config.notify),
        request.results.of(StackEvidence).stack_id,
        list(inspect.differences(request, aws)),
        *_installed(aws),
    )


def _installed(aws: Aws) -> list[object]:
    """What the installation asks for beside the defaults; nothing of it changes no fingerprint."""
    wanted: list[object] = [dict(aws.settings.tags), aws.settings.kms_key_arn]
    return wanted if any(wanted) else []


def run(request: Request, aws: Aws) -> Result[MonitoringEvidence]:
    """One step. Raises PhaseFailed: NotificationMissing when an alarm's notification does not arrive within 90 s, and
    what `correlate` raises."""
    cursor = request.cursor_as(MonitoringCursor)
    if cursor.step == "logs":
        if cursor.queue is not None:
            # Only once it is on record that all have arrived: a Lambda that dies between the two finds no queue again.
            aws.topics.close_probe(cursor.queue)
        return _with_repairs(correlate.correlate(replace(cursor, queue=None), request, aws))
    if cursor.queue is not None:
        return _await_notifications(cursor, cursor.queue, request, aws)
    changed = inspect.differences(request, aws) if request.environment.live else ()
    return _fire_all(replace(apply.apply(request, aws), repaired=changed or None), request, aws)


def _with_repairs(result: Result[MonitoringEvidence]) -> Result[MonitoringEvidence]:
    """A finished result names in its summary what was defined again."""
    repaired = (result.evidence.repaired or ()) if result.evidence and result.status is Status.SUCCEEDED else ()
    lines = (f"{line}: defined again" for line in repaired)
    return replace(result, summary="; ".join([result.summary, *lines]))


def _fire_all(configured: MonitoringEvidence, request: Request, aws: Aws) -> Result[MonitoringEvidence]:
    names = request.names
    queue = aws.topics.open_probe(
        configured.topic, names.probe(request.deployment_id), aws.settings.tags_beside(names.tags)
    )
    fire.fire(names, configured.alarms, request.deployment_id, aws)
    return request.wait(
        f"Fired {counted(len(configured.alarms), 'alarm')}; waiting for the notifications",
        step="notifications",
        cursor=MonitoringCursor("notifications", configured, queue, fired_s=request.elapsed_s),
        evidence=configured,
    )


def _await_notifications(
    cursor: MonitoringCursor, queue: Probe, request: Request, aws: Aws
) -> Result[MonitoringEvidence]:
    configured = _receive(cursor.configured, queue, request, aws)
    heard, since_s = configured.heard or (), request.elapsed_s if cursor.since_s is None else cursor.since_s
    missing = [name for name in configured.alarms if name not in heard]
    if missing and request.elapsed_s - since_s < _NOTIFICATION_TIMEOUT_S:
        cursor = _fire_again(missing, replace(cursor, configured=configured, since_s=since_s), request, aws)
        summary = f"{len(heard)} of {len(configured.alarms)} notifications have arrived"
        return request.wait(summary, step="notifications", cursor=cursor, evidence=configured)
    # Before the failure, too: no test alarm stays in ALARM.
    fire.reset(configured.alarms, request.deployment_id, aws)
    if missing:
        aws.topics.close_probe(queue)
        raise _not_notified(missing, configured)
    return request.wait(
        f"All {len(heard)} notifications have arrived; looking for one request in the logs",
        step="logs",
        cursor=MonitoringCursor("logs", configured, queue),
        evidence=configured,
    )


def _receive(configured: MonitoringEvidence, queue: Probe, request: Request, aws: Aws) -> MonitoringEvidence:
    """`configured` with the alarms whose notifications have arrived until now."""
    earlier = configured.heard or ()
    missing = [name for name in configured.alarms if name not in earlier]
    received = fire.receive(queue, missing, request.deployment_id, aws)
    return replace(configured, heard=tuple(sorted({*earlier, *received})))


def _fire_again(missing: list[str], cursor: MonitoringCursor, request: Request, aws: Aws) -> MonitoringCursor:
    """SNS discards what it may not deliver yet, so a notification that did not arrive in time is sent again."""
    if request.elapsed_s - cursor.fired_s < _FIRE_AGAIN_S:
        return cursor
    fire.fire(request.names, missing, request.deployment_id, aws)
    return replace(cursor, fired_s=request.elapsed_s)


def _not_notified(missing: list[str], configured: MonitoringEvidence) -> PhaseFailed:
    return PhaseFailed(
        f"alarms fired, but no notification arrived within {_NOTIFICATION_TIMEOUT_S} s: {', '.join(missing)}",
        code="NotificationMissing",
        remedy=f"Check that CloudWatch may publish to the topic {configured.topic}, and whether it is encrypted.",
        evidence=MonitoringEvidence(heard=configured.heard, missing=tuple(missing)),
    )


PHASE = Definition(run, MonitoringEvidence, MonitoringCursor, fingerprint)
