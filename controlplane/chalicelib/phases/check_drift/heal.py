"""Restores what is safe to restore: aliases with their permissions, alarms with their topic, a secret about to be
deleted.

Code, keys and the stack are never changed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.evidence.drift import DriftFinding
from chalicelib.domain.model import Release
from chalicelib.domain.options import Options
from chalicelib.domain.words import counted
from chalicelib.engine.phase import Request
from chalicelib.monitoring import apply
from chalicelib.ports import Aws
from chalicelib.stack.recovery import repair
from chalicelib.stack.recovery.losses import ALIASES

from . import record


def to_heal(findings: Iterable[DriftFinding], options: Options) -> list[DriftFinding]:
    """The findings that the options allow to restore. Pure."""
    return [finding for finding in findings if finding.heals and not (options.leave_alias and finding.deliberate)]


def heal(findings: Sequence[DriftFinding], request: Request, live: Release, aws: Aws) -> tuple[str, ...]:
    """Restore what the findings name; returns one line for each thing that was restored. findings: see `to_heal`."""
    kinds = {finding.kind for finding in findings}
    healed = []
    if "alias" in kinds:
        moved = any(finding.deliberate for finding in findings if finding.kind == "alias")
        healed.extend(_restore_aliases(request, live, aws, moved=moved))
    if "stack" in kinds:
        healed.extend(_restore_permissions(request, live, aws))
    if "secret" in kinds:
        aws.secrets.restore(record.secret(request.environment).arn)
        healed.append("the scheduled deletion of the secret is cancelled")
    if "alarm" in kinds:
        healed.append(f"{counted(_restore_alarms(request, live, aws), 'alarm')} defined again")
    return tuple(healed)


def _restore_aliases(request: Request, live: Release, aws: Aws, *, moved: bool) -> list[str]:
    function = request.names.function
    existing = aws.functions.aliases(function)
    gone = [name for name in ALIASES if name not in existing]
    for name in gone:
        repair.make_alias(name, live.version, request, aws)
    lines = [f"{name} alias made again on version {live.version}" for name in gone]
    if not moved:
        return lines
    aws.functions.point(function, Alias("live", live.version))
    return [*lines, f"live alias put back on version {live.version}"]


def _restore_permissions(request: Request, live: Release, aws: Aws) -> list[str]:
    for name in ALIASES:
        repair.make_alias(name, live.version, request, aws)
    return ["API Gateway may call both aliases again"]


def _restore_alarms(request: Request, live: Release, aws: Aws) -> int:
    names = request.names
    topic = aws.topics.ensure(names.topic, aws.settings.tags_beside(names.tags), aws.settings.kms_key_arn)
    alarms = record.alarms(request.environment, live, topic)
    for alarm in alarms:
        aws.alarms.put(alarm, aws.settings.tags_beside(names.tags))
    apply.subscribe(topic, record.config(live).notify, aws)
    return len(alarms)
