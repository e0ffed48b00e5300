"""What a deployment changed against the last good release: code, configuration field by field, secret, stack. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TypeVar

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence, RollBackEvidence, ShiftEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import RestoreEvidence, SettingsEvidence, StackEvidence
from chalicelib.domain.model import Action, FinishedRun, Release
from chalicelib.engine.phase import OfPhase

K = TypeVar("K", bound=OfPhase)
Row = tuple[str, object, object]
_DIGITS = 12  # of a digest that is shown
_CONFIGURES = (Action.DEPLOY, Action.PROMOTE, Action.PLAN)


def evidence_of(run: FinishedRun, kind: type[K]) -> K | None:
    """The evidence of the phase that `kind` belongs to, complete or not; None when it never began."""
    recorded = (dict(phase.evidence) for phase in run.phases if phase.name == kind.PHASE and phase.evidence)
    return next((decode_lenient(kind, evidence) for evidence in recorded), None)


def changes(run: FinishedRun) -> list[Row]:
    """(what, before, now) of everything that differs; None for what was not there before."""
    good = run.environment.last_good
    rows = [*_code(run, good), *_config(run, good), *_secret(run, good), *_stack(run), *_settings(run)]
    return [(what, before, now) for what, before, now in rows if before != now]


def _code(run: FinishedRun, good: Release | None) -> Iterator[Row]:
    artifact, release = evidence_of(run, ArtifactEvidence), evidence_of(run, ReleaseEvidence)
    back = evidence_of(run, RollBackEvidence)
    if artifact and artifact.digest:
        yield "code (SHA-256)", good.artifact[:_DIGITS] if good else None, artifact.digest[:_DIGITS]
    if release and release.version:
        yield "function version", good.version if good else None, release.version
    for alias, left in sorted((back.moved if back else {}).items()):
        yield f"alias {alias} went back", left, back.version if back else ""


def _config(run: FinishedRun, good: Release | None) -> Iterator[Row]:
    if run.deployment.action not in _CONFIGURES:
        return
    now = flat(dataclasses.asdict(run.deployment.config))
    before = flat(dataclasses.asdict(decode_lenient(Config, good.config) if good else Config()))
    for name in sorted({*before, *now}):
        yield f"config.{name}", before.get(name), now.get(name)


def flat(value: Mapping[str, object], under: str = "") -> dict[str, object]:
    """Values by path, as `alarms.error_rate`; a list for a tuple, as a record holds it."""
    fields: dict[str, object] = {}
    for name, item in value.items():
        path = f"{under}.{name}" if under else name
        if isinstance(item, Mapping):
            fields |= flat(item, path)
        else:
            fields[path] = list(item) if isinstance(item, tuple) else item
    return fields


def _secret(run: FinishedRun, good: Release | None) -> Iterator[Row]:
    secret, shift = evidence_of(run, SecretEvidence), evidence_of(run, ShiftEvidence)
    if shift and shift.secret_version:
        yield "secret version", shift.secret_from[:_DIGITS] or None, shift.secret_version[:_DIGITS]
    elif secret and secret.version_id:
        before = secret.replaces or (good.secret_version if good else "")
        # A release of an older control plane does not say with which version it ran.
        yield "secret version", before[:_DIGITS] or ("not on record" if good else None), secret.version_id[:_DIGITS]


def _stack(run: FinishedRun) -> Iterator[Row]:
    stack = evidence_of(run, StackEvidence)
    for change in stack.changes if stack else ():
        action, _, resource = change.partition(" ")
        yield f"stack: {resource}", None, action.lower()


def _settings(run: FinishedRun) -> Iterator[Row]:
    applied, restored = evidence_of(run, SettingsEvidence), evidence_of(run, RestoreEvidence)
    for name, (before, now) in (applied.changed if applied else {}).items():
        yield f"users' setting {name}", before, now
    for name, (before, now) in (restored.restored if restored else {}).items():
        yield f"restored {name}", before, now
