"""Phase 2: checks the provider's key and settings, and who may read them. The value never leaves this process.

The secret is stored by `PUT /environments/{name}/secret` (`python -m ctl secret set`), or one that exists is adopted
through `config.secret_arn`. Storing keeps the version before as AWSPREVIOUS, so a bad one can go back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.aws.secrets import SecretInfo
from chalicelib.domain.errors import BadRequest, NotFound, PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.domain.secret_schema import Secret, check, parsed
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from .access import ALLOWED, NOT_RUN, problem, stranger_of

READ = "secretsmanager:GetSecretValue"
CONTROL_PLANE = "proxyctl"
_SECONDS_A_DAY = 86_400


def fingerprint(request: Request, aws: Aws) -> str:
    """Which secret, in which version, and whether it is old.

    Not the role: it comes with the first stack, and release_code has proved by then that it reads the secret.
    """
    info = aws.secrets.find(_wanted(request))
    stages = dict(info.stages) if info else {}
    old = info is not None and _age_days(info, request) > request.config.secret_max_age_days
    return fingerprint_of(info.arn if info else "", stages, old, request.config.secret_max_age_days)


def run(request: Request, aws: Aws) -> Result:
    info = _find(request, aws)
    secret = _checked(info, aws)
    previous = _previous_is_good(info, aws)
    age = _age_days(info, request)
    warnings = []
    if age > request.config.secret_max_age_days:
        warnings.append(
            f"The key was last changed {age} days ago, more than {request.config.secret_max_age_days}: rotate it."
        )
    access = _access(info, request, aws)
    models = len(secret.models)
    summary = f"Secret {info.name}: schema {secret.schema}, {models} model{'s' * (models != 1)}, {age} days old"
    if access["execution_role"] == ALLOWED:
        summary += "; readable by the proxy's role, not by another"
    return Result.done(
        ". ".join([summary, *warnings]),
        arn=info.arn,
        name=info.name,
        adopted=request.config.secret_arn is not None,
        version_id=info.stages["AWSCURRENT"],
        previous_version_id=info.stages.get("AWSPREVIOUS", ""),
        previous_is_good=previous,
        schema=secret.schema,
        models=sorted(secret.models),
        targets=dict(secret.models),
        client_keys=len(secret.client_keys),
        age_days=age,
        kms_key=info.kms_key,
        access=access,
        warnings=warnings,
    )


def _wanted(request: Request) -> str:
    return request.config.secret_arn or Names(request.environment.name).secret


def _find(request: Request, aws: Aws) -> SecretInfo:
    wanted = _wanted(request)
    info = aws.secrets.find(wanted)
    remedy = (
        f"python -m ctl secret set {request.environment.name}, or PUT /environments/{request.environment.name}/secret."
    )
    if info is None:
        if request.config.secret_arn:
            remedy = (
                "Give the full ARN of a secret in this account and region that is tagged proxyctl:owner=proxyctl, "
                "or leave config.secret_arn out."
            )
        raise PhaseFailed(
            f"there is no secret {wanted}", code="SecretMissing", field=_field(request), remedy=f"Store it: {remedy}"
        )
    if info.doomed:
        raise PhaseFailed(
            f"the secret {info.name} is scheduled for deletion",
            code="SecretDoomed",
            field=_field(request),
            remedy=f"Store it again, which brings it back: {remedy}",
        )
    if "AWSCURRENT" not in info.stages:
        raise PhaseFailed(
            f"the secret {info.name} has no value",
            code="SecretEmpty",
            field=_field(request),
            remedy=f"Store one: {remedy}",
        )
    return info


def _field(request: Request) -> str:
    return "config.secret_arn" if request.config.secret_arn else "secret"


def _checked(info: SecretInfo, aws: Aws) -> Secret:
    try:
        return check(_document(info.arn, "AWSCURRENT", aws))
    except BadRequest as error:
        back = info.stages.get("AWSPREVIOUS")
        remedy = error.remedy or ""
        if back and _previous_is_good(info, aws):
            remedy += (
                f" Or go back to the version before, which is good: aws secretsmanager update-secret-version-stage"
                f" --secret-id {info.arn} --version-stage AWSCURRENT --move-to-version-id {back}"
                f" --remove-from-version-id {info.stages['AWSCURRENT']}"
            )
        raise PhaseFailed(
            f"{info.name}: {error.message}",
            code="SecretMalformed",
            field=error.field,
            remedy=remedy,
            evidence={"arn": info.arn, "version_id": info.stages["AWSCURRENT"], "previous_version_id": back or ""},
        ) from None  # the cause's traceback could show the document


def _document(arn: str, stage: str, aws: Aws) -> Any:
    text = aws.secrets.read(arn, stage).text
    return parsed(text)


def _previous_is_good(info: SecretInfo, aws: Aws) -> bool:
    if "AWSPREVIOUS" not in info.stages:
        return False
    try:
        check(_document(info.arn, "AWSPREVIOUS", aws))
    except (BadRequest, NotFound):
        return False
    return True


def _age_days(info: SecretInfo, request: Request) -> int:
    if info.changed_at is None:
        return 0
    return int((request.now - info.changed_at).total_seconds() // _SECONDS_A_DAY)


def _role(request: Request, aws: Aws) -> str:
    """The proxy's execution role; "" before the stack, which makes it, was deployed."""
    return aws.identity.role_arn(Names(request.environment.name).role(aws.settings.region)) or ""


def _access(info: SecretInfo, request: Request, aws: Aws) -> Mapping[str, str]:
    """What IAM says of the proxy's role and of a stranger's: one of the control plane's that has no business with it.

    release_code proves the same for real: the candidate reads the secret, and release_code itself must be refused.
    """
    role = _role(request, aws)
    if not role:
        later = f"{NOT_RUN}: the role is made by deploy_stack; release_code proves it"
        return {"execution_role": later, "stranger": later}
    stranger = _stranger(aws)
    stack = aws.stacks.find(Names(request.environment.name).stack)
    given = stack.parameters if stack else {}
    if (given.get("SecretArn"), given.get("SecretKmsKeyArn", "")) == (info.arn, info.kms_key):
        told = {"execution_role": _verdict(role, info.arn, aws)}
    else:
        told = {"execution_role": f"{NOT_RUN}: deploy_stack lets the role read it; release_code proves it"}
    if stranger is None:
        told["stranger"] = f"{NOT_RUN}: the control plane's stack {CONTROL_PLANE} has no role to ask about"
    else:
        arn = f"arn:{aws.settings.partition}:iam::{aws.settings.account}:role/{stranger}"
        told["stranger"] = _verdict(arn, info.arn, aws)
    failure = problem(told["execution_role"], told["stranger"])
    if failure:
        raise PhaseFailed(
            f"{info.name}: {failure}",
            code="SecretAccess",
            remedy=f"Look for {READ} in the policies of the role that is named, and in the secret's own policy.",
            evidence={"arn": info.arn, "access": told, "role": role, "stranger": stranger or ""},
        )
    return told


def _stranger(aws: Aws) -> str | None:
    try:
        return stranger_of(aws.stacks.resources(CONTROL_PLANE))
    except NotFound:
        return None


def _verdict(role: str, secret: str, aws: Aws) -> str:
    (verdict,) = aws.identity.simulate(role, [READ], [secret])
    return verdict.decision


PHASE = Definition(run, dict, fingerprint=fingerprint)
