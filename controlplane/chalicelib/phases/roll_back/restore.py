"""Takes the secret back: after a failure to the version before this deployment, on request to that of a release."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain.aws.secrets import PENDING, SecretInfo, release_label, staged_label
from chalicelib.domain.errors import Conflict
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Action
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.ports import Aws


@dataclass(frozen=True, slots=True)
class _Move:
    """version: the one that users are back on, "" when it did not change. text: what was done, "" for nothing."""

    version: str = ""
    text: str = ""


def go_back(result: Result[RollBackEvidence], request: Request, aws: Aws) -> Result[RollBackEvidence]:
    """`result` of moving the aliases, with what was done about the secret. An adopted secret stays as it is."""
    info = aws.secrets.find(request.names.secret)
    if info is None or info.doomed or not info.current:
        return result
    evidence = result.evidence or RollBackEvidence()
    if request.action is Action.ROLLBACK:
        move = _to_release(info, evidence.secret_to, aws)
    else:
        move = _undo(info, request, aws)
    if move.version:
        _note(move.version, request, aws)
    status = Status.SUCCEEDED if move.version else result.status
    summary = "; ".join(part for part in (result.summary, move.text) if part)
    return replace(result, status=status, summary=summary, evidence=replace(evidence, secret_version=move.version))


def _to_release(info: SecretInfo, version: str, aws: Aws) -> _Move:
    if version in ("", info.current):
        return _Move()
    if version not in info.stages.values():
        return _Move(
            text=f"secret version {version[:8]} of that release no longer exists, so the secret stays as it is"
        )
    return _move(info, version, aws)


def _undo(info: SecretInfo, request: Request, aws: Aws) -> _Move:
    """Drop the version that this deployment rolled; if it was promoted already, go back to the one before."""
    version = request.secret_version
    if version is None or (request.promotion and version not in info.stages.values()):
        return _Move()  # of a promotion: both environments have the same models
    prepared = request.results.find(SecretEvidence)
    if info.current == version and prepared is not None and prepared.replaces:
        move = _move(info, prepared.replaces, aws)
    else:
        move = _Move(text=f"users keep secret version {info.current[:8]}")
    _drop(info, version, request, aws)
    return move


def _move(info: SecretInfo, version: str, aws: Aws) -> _Move:
    try:
        aws.secrets.move_current(info.arn, to_version=version, from_version=info.current)
    except Conflict:
        return _Move(text="someone changed the secret meanwhile, so it stays as it is")
    return _Move(version, f"secret version {version[:8]} is current again")


def _drop(info: SecretInfo, version: str, request: Request, aws: Aws) -> None:
    """Remove the labels that keep a version which no release ran with."""
    labels = [PENDING, staged_label(version)]
    if version not in {release.secret_version for release in request.environment.good}:
        labels.append(release_label(version))
    for label in labels:
        if label in info.stages:
            aws.secrets.unlabel(info.arn, label)


def _note(version: str, request: Request, aws: Aws) -> None:
    """Record which version applies now, so that a revalidation compares with it and the next deploy checks it."""
    applied = request.environment.applied.get(SecretEvidence.PHASE)
    if applied is not None:
        evidence = {**applied.evidence, "version_id": version, "replaces": ""}
        undone = replace(applied, fingerprint="rolled back", evidence=evidence)
        aws.records.set_applied(request.environment.name, SecretEvidence.PHASE, undone, holder=request.deployment_id)
