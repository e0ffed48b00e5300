"""Takes over the models that passed in another environment, as a secret version that the candidate reads first.

Both secrets are read here and nowhere else; of the other one only `models` is used. The version's ID follows from the
deployment, so that a second call stores nothing again, and a rollback knows what to drop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from chalicelib.domain.aws.secrets import SecretInfo, staged_label
from chalicelib.domain.errors import BadRequest, NotFound, PhaseFailed
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.fleets.promotions import Promotion, secret_version_id
from chalicelib.domain.secret_schema import check, parsed
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import models


def source_of(request: Request) -> str | None:
    """Which version of which secret the models come from: `SecretEvidence.models_of`; None without a promotion."""
    promotion = request.promotion
    return f"{promotion.secret_arn}#{promotion.secret_version}" if promotion else None


def wanted_version(info: SecretInfo, request: Request) -> str:
    """The version that the candidate shall read. Needs no document: evidence says whose models a version has."""
    if request.promotion is None:
        return request.options.secret_version or info.current
    recorded = request.results.find(SecretEvidence)
    if recorded and recorded.models_of == source_of(request):
        return recorded.version_id
    return secret_version_id(request.deployment_id)


def stage_models(promotion: Promotion, info: SecretInfo, request: Request, aws: Aws) -> str:
    """Store the version with the promoted models; answers its ID, "" where the current version has these models.

    Raises PhaseFailed: PromotedSecretGone, SecretMalformed, PromotedModelsDoNotFit, SecretAdopted when the models
    differ and the secret is not the environment's own.
    """
    version = secret_version_id(request.deployment_id)
    if version in info.stages.values():
        return version
    there = aws.at(promotion.target, "prepare_secret")
    source = _document(promotion.secret_arn, promotion.secret_version, promotion, there)
    own = _document(info.arn, info.current, promotion, aws)
    if models.are_same(source, own):
        return ""
    if request.config.secret_arn is not None:
        raise PhaseFailed(
            f"the models of {promotion.environment} differ from those of the adopted secret {info.name}",
            code="SecretAdopted",
            field="config.secret_arn",
            remedy="Its owner has to change the models there: the control plane does not write to it.",
        )
    merged = models.with_models(source, own, promotion, request.environment.name)
    text = json.dumps(merged, sort_keys=True)
    aws.secrets.add_version(info.arn, text, version_id=version, stage=staged_label(version))
    return version


def _document(arn: str, version: str, promotion: Promotion, aws: Aws) -> Mapping[str, object]:
    try:
        document = parsed(aws.secrets.read_version(arn, version).text)
        check(document)
    except NotFound:
        raise PhaseFailed(
            f"version {version[:8]} of the secret that {promotion.environment} passed with is gone",
            code="PromotedSecretGone",
            field="from",
            remedy=f"Deploy {promotion.environment} again, then promote.",
        ) from None
    except BadRequest as error:
        raise PhaseFailed(error.message, code="SecretMalformed", field=error.field, remedy=error.remedy) from None
    assert isinstance(document, Mapping), "check refuses any other"
    return document
