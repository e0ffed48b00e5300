"""Puts the staging labels of the environment's own secret where this deployment needs them.

The environment's lock guards PROXYCTL_PENDING: whoever prepares a deployment first takes away what another left.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.aws.secrets import PENDING, SecretInfo, release_label
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from .promote import stage_models


def stage(info: SecretInfo, request: Request, aws: Aws) -> SecretInfo:
    """The secret with the version that this deployment rolls, or none, as the pending one; releases' versions are kept.

    Raises PhaseFailed: SecretAdopted (its versions are its owner's), SecretChanged (another version than
    `options.secret_base` is current), SecretVersionGone, and of `promote`.
    """
    version = _version(info, request, aws)
    if request.config.secret_arn is not None:
        if version:
            raise _refused("SecretAdopted", "the environment uses a secret that the control plane does not change")
        return info
    if version and request.options.secret_base not in (None, info.current):
        raise _refused("SecretChanged", "another version of the secret went live after this one was stored")
    _label(info, version, aws)
    _keep_versions(info, request, aws)
    others = {label: holder for label, holder in info.stages.items() if label != PENDING}
    return replace(info, stages=others | ({PENDING: version} if version else {}))


def _version(info: SecretInfo, request: Request, aws: Aws) -> str:
    if request.promotion:
        return stage_models(request.promotion, info, request, aws)
    return request.options.secret_version or ""


def _label(info: SecretInfo, version: str, aws: Aws) -> None:
    if not version:
        if PENDING in info.stages:
            aws.secrets.unlabel(info.arn, PENDING)
        return
    try:
        aws.secrets.label(info.arn, PENDING, version)
    except NotFound:
        raise _refused("SecretVersionGone", f"the secret has no version {version} any more") from None


def _keep_versions(info: SecretInfo, request: Request, aws: Aws) -> None:
    """Label the current version, and drop the labels of versions that no release on record ran with."""
    needed = {release.secret_version for release in request.environment.good} | {info.current}
    if info.current not in info.release_versions:
        aws.secrets.label(info.arn, release_label(info.current), info.current)
    for version in info.release_versions:
        if version not in needed:
            aws.secrets.unlabel(info.arn, release_label(version))


def _refused(code: str, message: str) -> PhaseFailed:
    return PhaseFailed(
        message,
        code=code,
        field="options.secret_version",
        remedy="Store the document again: python -m ctl secret set, or PUT /environments/{name}/secret.",
    )
