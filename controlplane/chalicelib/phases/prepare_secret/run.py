"""Phase 2: checks the provider's key and settings, and who may read them. The value never leaves this process.

`PUT /environments/{name}/secret` (`python -m ctl secret set`) stores a version, and `options.secret_version` names it:
this phase makes it the pending version, which only the candidate reads, and shift_traffic promotes it.
`config.secret_arn` adopts an existing secret, whose versions are its owner's matter.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.aws.secrets import PENDING, PREVIOUS, SecretInfo, SecretText
from chalicelib.domain.errors import BadRequest, NotFound, PhaseFailed
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.secret_schema import Secret, check, parsed
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import stage
from .access import ALLOWED
from .age import age_days, is_old, warnings
from .promote import source_of, wanted_version
from .simulate import simulate


def fingerprint(request: Request, aws: Aws) -> str:
    """Which secret, the version that the candidate reads, the version that it should read, and whether that is old.

    The same before and after shift_traffic promotes the version. The proxy's role is left out: the first stack creates
    it, and release_code has proved by then that it reads the secret.
    """
    info = aws.secrets.find(_name(request))
    max_age = request.config.secret_max_age_days
    if info is None or info.doomed:
        return fingerprint_of("", "", "", False, max_age)
    actual, wanted = info.stages.get(PENDING, info.current), wanted_version(info, request)
    return fingerprint_of(info.arn, actual, wanted, _is_old(info, request), max_age)


def run(request: Request, aws: Aws) -> Result[SecretEvidence]:
    """Make the version that this deployment rolls the pending one; check its document and the access to it.

    Raises PhaseFailed: SecretMissing, SecretDoomed (its deletion is scheduled), SecretEmpty, SecretMalformed,
    SecretAccess, and of `stage`.
    """
    restored = _restore(request, aws)
    info = stage.stage(_find(request, aws), request, aws)
    stored, secret = _checked(info, aws)
    age = age_days(stored.created_at or info.changed_at, request.now)
    evidence = SecretEvidence(
        arn=info.arn,
        name=info.name,
        adopted=request.config.secret_arn is not None,
        version_id=stored.version_id,
        replaces=info.current if stored.version_id != info.current else "",
        created_at=stored.created_at.isoformat() if stored.created_at else "",
        previous_version_id=info.stages.get(PREVIOUS, ""),
        previous_is_good=_previous_is_good(info, aws),
        schema=secret.schema,
        models=tuple(sorted(secret.models)),
        targets=dict(secret.models),
        client_keys=len(secret.client_keys),
        age_days=age,
        kms_key=info.kms_key,
        access=simulate(info, request, aws),
        warnings=warnings(age, request.config.secret_max_age_days),
        restored=restored,
        models_of=source_of(request),
    )
    return Result.done(_summary(evidence), evidence)


def _is_old(info: SecretInfo, request: Request) -> bool:
    """By the creation of the version: moving a label changes the time of the secret itself."""
    recorded = request.results.find(SecretEvidence)
    is_recorded = recorded is not None and recorded.created_at and recorded.version_id == info.current
    created = datetime.fromisoformat(recorded.created_at) if recorded and is_recorded else info.changed_at
    return is_old(age_days(created, request.now), request.config.secret_max_age_days)


def _summary(evidence: SecretEvidence) -> str:
    models = f"{len(evidence.models)} model{'s' * (len(evidence.models) != 1)}"
    which = f", version {evidence.version_id[:8]} for the candidate only" if evidence.replaces else ""
    summary = f"Secret {evidence.name}{which}: schema {evidence.schema}, {models}, {evidence.age_days} days old"
    if evidence.restored:
        summary += "; its deletion was scheduled, which is cancelled"
    if evidence.access.execution_role == ALLOWED:
        summary += "; the proxy's role can read it"
    return ". ".join([summary, *evidence.warnings])


def _name(request: Request) -> str:
    """ARN of the adopted secret, else the name of the environment's own."""
    return request.config.secret_arn or request.names.secret


def _find(request: Request, aws: Aws) -> SecretInfo:
    info = aws.secrets.find(_name(request))
    name = request.environment.name
    remedy = f"python -m ctl secret set {name}, or PUT /environments/{name}/secret."
    if info is None:
        if request.config.secret_arn:
            remedy = (
                "Give the full ARN of a secret in this account and region that is tagged proxyctl:owner=proxyctl, "
                "or leave config.secret_arn out."
            )
        raise _unusable(request, f"there is no secret {_name(request)}", "SecretMissing", f"Store it: {remedy}")
    if info.doomed:
        message = f"the secret {info.name} is scheduled for deletion"
        raise _unusable(request, message, "SecretDoomed", f"Store it again, which cancels the deletion: {remedy}")
    if not info.current:
        raise _unusable(request, f"the secret {info.name} has no value", "SecretEmpty", f"Store one: {remedy}")
    return info


def _restore(request: Request, aws: Aws) -> bool:
    """Cancel a scheduled deletion of the secret that the live release reads; answers whether there was one.

    Someone scheduled it by hand: a clean-up ends the release first. Then a deploy finds no live release, and does not
    bring back a key that was removed on purpose.
    """
    if request.config.secret_arn is not None or not request.environment.reads_its_own_secret:
        return False
    info = aws.secrets.find(request.names.secret)
    if info is None or not info.doomed:
        return False
    aws.secrets.restore(info.arn)
    return True


def _unusable(request: Request, message: str, code: str, remedy: str) -> PhaseFailed:
    field = "config.secret_arn" if request.config.secret_arn else "secret"
    return PhaseFailed(message, code=code, field=field, remedy=remedy)


def _checked(info: SecretInfo, aws: Aws) -> tuple[SecretText, Secret]:
    """The version to roll, and its checked document."""
    version = info.stages.get(PENDING, info.current)
    try:
        stored = aws.secrets.read_version(info.arn, version)
        return stored, check(parsed(stored.text))
    except BadRequest as error:
        # `from None`: a traceback of the cause could show the document.
        raise _malformed(info, version, error, aws) from None


def _malformed(info: SecretInfo, version: str, error: BadRequest, aws: Aws) -> PhaseFailed:
    current, previous = info.current, info.stages.get(PREVIOUS, "")
    remedy = error.remedy or ""
    if version == current and _previous_is_good(info, aws):
        remedy += (
            f" Or go back to the previous version, which is good: aws secretsmanager update-secret-version-stage"
            f" --secret-id {info.arn} --version-stage AWSCURRENT --move-to-version-id {previous}"
            f" --remove-from-version-id {current}"
        )
    return PhaseFailed(
        f"{info.name}: {error.message}",
        code="SecretMalformed",
        field=error.field,
        remedy=remedy,
        evidence=SecretEvidence(arn=info.arn, version_id=version, previous_version_id=previous),
    )


def _document(arn: str, stage: str, aws: Aws) -> Secret:
    """The checked document of a stage. Raises BadRequest naming the field, NotFound."""
    return check(parsed(aws.secrets.read(arn, stage).text))


def _previous_is_good(info: SecretInfo, aws: Aws) -> bool:
    if PREVIOUS not in info.stages:
        return False
    try:
        _document(info.arn, PREVIOUS, aws)
    except (BadRequest, NotFound):
        return False
    return True


PHASE = Definition(run, SecretEvidence, fingerprint=fingerprint)
