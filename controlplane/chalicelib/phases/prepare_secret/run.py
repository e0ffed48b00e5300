"""Phase 2: checks the provider's key and settings, and who may read them. The value never leaves this process.

`PUT /environments/{name}/secret` (`python -m ctl secret set`) stores the secret; `config.secret_arn` adopts an existing
one. Secrets Manager keeps the version before as AWSPREVIOUS, so a bad version can be taken back.
"""

from __future__ import annotations

from chalicelib.domain.aws.secrets import SecretInfo
from chalicelib.domain.errors import BadRequest, NotFound, PhaseFailed
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.secret_schema import Secret, check, parsed
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from .access import ALLOWED
from .age import age_days, is_old, warnings
from .simulate import simulate


def fingerprint(request: Request, aws: Aws) -> str:
    """Which secret, its versions by stage, and whether it is old.

    The proxy's role is left out: the first stack creates it, and release_code has proved by then that it reads the
    secret.
    """
    info = aws.secrets.find(_name(request))
    max_age = request.config.secret_max_age_days
    old = info is not None and is_old(age_days(info.changed_at, request.now), max_age)
    return fingerprint_of(info.arn if info else "", dict(info.stages) if info else {}, old, max_age)


def run(request: Request, aws: Aws) -> Result[SecretEvidence]:
    """Check the current document and the access to it; nothing is written.

    Raises PhaseFailed: SecretMissing, SecretDoomed (its deletion is scheduled), SecretEmpty, SecretMalformed,
    SecretAccess.
    """
    info = _find(request, aws)
    secret = _current(info, aws)
    evidence = SecretEvidence(
        arn=info.arn,
        name=info.name,
        adopted=request.config.secret_arn is not None,
        version_id=info.stages["AWSCURRENT"],
        previous_version_id=info.stages.get("AWSPREVIOUS", ""),
        previous_is_good=_previous_is_good(info, aws),
        schema=secret.schema,
        models=tuple(sorted(secret.models)),
        targets=dict(secret.models),
        client_keys=len(secret.client_keys),
        age_days=age_days(info.changed_at, request.now),
        kms_key=info.kms_key,
        access=simulate(info, request, aws),
        warnings=warnings(age_days(info.changed_at, request.now), request.config.secret_max_age_days),
    )
    return Result.done(_summary(evidence), evidence)


def _summary(evidence: SecretEvidence) -> str:
    models = f"{len(evidence.models)} model{'s' * (len(evidence.models) != 1)}"
    summary = f"Secret {evidence.name}: schema {evidence.schema}, {models}, {evidence.age_days} days old"
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
    if "AWSCURRENT" not in info.stages:
        raise _unusable(request, f"the secret {info.name} has no value", "SecretEmpty", f"Store one: {remedy}")
    return info


def _unusable(request: Request, message: str, code: str, remedy: str) -> PhaseFailed:
    field = "config.secret_arn" if request.config.secret_arn else "secret"
    return PhaseFailed(message, code=code, field=field, remedy=remedy)


def _current(info: SecretInfo, aws: Aws) -> Secret:
    try:
        return _document(info.arn, "AWSCURRENT", aws)
    except BadRequest as error:
        # `from None`: a traceback of the cause could show the document.
        raise _malformed(info, error, aws) from None


def _malformed(info: SecretInfo, error: BadRequest, aws: Aws) -> PhaseFailed:
    current, previous = info.stages["AWSCURRENT"], info.stages.get("AWSPREVIOUS", "")
    remedy = error.remedy or ""
    if _previous_is_good(info, aws):
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
        evidence=SecretEvidence(arn=info.arn, version_id=current, previous_version_id=previous),
    )


def _document(arn: str, stage: str, aws: Aws) -> Secret:
    """The checked document of a stage. Raises BadRequest naming the field, NotFound."""
    return check(parsed(aws.secrets.read(arn, stage).text))


def _previous_is_good(info: SecretInfo, aws: Aws) -> bool:
    if "AWSPREVIOUS" not in info.stages:
        return False
    try:
        _document(info.arn, "AWSPREVIOUS", aws)
    except (BadRequest, NotFound):
        return False
    return True


PHASE = Definition(run, SecretEvidence, fingerprint=fingerprint)
