"""Inputs of the environment's stack: template, parameters, names and tokens, read from AWS and earlier phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from chalicelib.artifacts import assembly
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import NotFound
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Release
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import live, template

CHANGE_SET_PREFIX = "proxyctl-"
Purpose = Literal["deploy", "apply", "restore", "plan"]
"""Whose change set it is: one purpose a phase. Nobody executes one of `plan`."""


def parameters(request: Request, aws: Aws, *, creates: bool) -> dict[str, str | None]:
    """Value by parameter name; None keeps the stack's value. creates: whether the function does not exist yet.

    Raises PhaseFailed (EvidenceMissing) before prepare_secret and package_artifact have ended.
    """
    secret = request.results.of(SecretEvidence)
    stack = aws.stacks.find(request.names.stack)
    stack_inputs = template.StackInputs(
        environment=request.environment.name,
        bucket=aws.settings.bucket,
        artifact_key=request.results.of(ArtifactEvidence).key,
        secret_arn=secret.arn,
        kms_key_arn=secret.kms_key,
        in_use=_secret_in_use(request, secret, stack.parameters if stack else {}, aws),
        repair=stack.parameters.get("Repair", "") if stack else "",
        role_mark=stack.parameters.get("RoleMark", "") if stack else "",
        runtime=aws.settings.proxy_runtime,
        response_mode=mode(request, aws),
        access_logs=bool(aws.gateway.account().log_role),
    )
    return template.parameters(request.config, stack_inputs, creates=creates)


def _secret_in_use(request: Request, secret: SecretEvidence, current: Mapping[str, str], aws: Aws) -> dict[str, str]:
    names, settings = request.names, aws.settings
    prefix = f"arn:{settings.partition}:secretsmanager:{settings.region}:{settings.account}"
    releases = [release for release in (request.environment.live, request.environment.previous) if release]
    return template.in_use(
        request.config,
        releases,
        own=f"{prefix}:secret:{names.secret}-??????",
        wanted=secret.arn,
        current=current,
    )


def text(request: Request, aws: Aws) -> str:
    """The template of the bundle that is rolled (YAML) with one snapshot for both stages: what a deploy ends in.

    Raises what `parameters` raises.
    """
    raw, snapshot = bundled(request.bundle(aws), aws), snapshot_id(request, aws)
    return template.with_snapshots(raw, snapshot, snapshot)


def for_candidate(
    stack: Stack | None, request: Request, aws: Aws, *, creates: bool
) -> tuple[str, dict[str, str | None]]:
    """Template and parameters that make the candidate and leave users what they have.

    stack: the existing stack, None when it is created. creates: whether the function is created. Raises what
    `parameters` raises.
    """
    values, good = parameters(request, aws, creates=creates), request.environment.last_good
    if stack is None or good is None:
        return text(request, aws), values
    candidate = snapshot_id(request, aws)
    owned = aws.stacks.resources(stack.name)
    users = live.snapshot_of(good, stack, owned) or live.snapshot_of(None, stack, owned) or candidate
    raw = bundled(request.bundle(aws), aws)
    return template.with_snapshots(raw, candidate, users), {**values, **live.felt(good, stack)}


def for_users(stack: Stack, request: Request, aws: Aws) -> tuple[str, live.StackState]:
    """Template and parameters with which users have what this deployment releases. The snapshot that they had stays in
    the stack until the next change, so that a rollback needs no new one."""
    snapshot, raw = snapshot_id(request, aws), bundled(request.bundle(aws), aws)
    values = parameters(request, aws, creates=False)
    before = live.snapshot_of(request.environment.last_good, stack, aws.stacks.resources(stack.name))
    rendered = template.with_snapshots(raw, snapshot, snapshot, kept=before)
    return rendered, live.StackState(snapshot, values)


def for_release(release: Release, stack: Stack, aws: Aws) -> tuple[str, live.StackState]:
    """Template and parameters of the stack as it was with `release`, as far as its record says."""
    raw = _bundled_of(release, aws)
    values = live.recorded(release, stack, template.declared(raw))
    snapshot = live.snapshot_of(release, stack, aws.stacks.resources(stack.name)) or _new_snapshot(raw, stack, values)
    return template.with_snapshots(raw, snapshot, snapshot), live.StackState(snapshot, values)


def _new_snapshot(raw: str, stack: Stack, values: Mapping[str, str | None]) -> str:
    """For a release whose own is gone: CloudFormation makes it anew, of the API that the template describes."""
    shaping = template.shaping({**stack.parameters, **{name: value for name, value in values.items() if value}})
    return template.snapshot_id(raw, shaping)


def _bundled_of(release: Release, aws: Aws) -> str:
    """The template of the release's bundle; that of today's for a record without one, or when the bundle is gone."""
    try:
        return bundled(release.bundle or aws.settings.bundle_key, aws)
    except NotFound:
        return bundled(aws.settings.bundle_key, aws)


def bundled(bundle_key: str, aws: Aws) -> str:
    """The template of a bundle, without the logical ids of snapshots. Raises NotFound for a bundle that is gone."""
    text = template.with_role(assembly.unpack(aws.artifacts.get(bundle_key))["template.yaml"].decode())
    return template.as_installed(text, boundary=aws.settings.boundary, kms_key_arn=aws.settings.kms_key_arn)


def snapshot_id(request: Request, aws: Aws) -> str:
    """The logical id of the API deployment that this deployment releases. Raises what `parameters` raises."""
    shaping = template.shaping(parameters(request, aws, creates=True))
    return template.snapshot_id(bundled(request.bundle(aws), aws), shaping)


def mode(request: Request, aws: Aws) -> str:
    """The response mode, `stream` or `buffered`: the configured one, else the control plane's default."""
    return request.config.response_mode or aws.settings.response_mode


def change_set_name(request: Request, purpose: Purpose, number: int = 0) -> str:
    """The name of this deployment's change set, at most 128 characters. number: see `prepare.Wanted`.

    The purpose comes first: each phase's policy allows only the names of its own purpose.
    """
    return f"{CHANGE_SET_PREFIX}{purpose}-{request.deployment_id}{f'-{number}' if number else ''}"[:128]


def token(request: Request, what: str) -> str:
    """A client request token of at most 128 characters: CloudFormation does the same `what` once a deployment."""
    return f"{request.deployment_id}-{what}"[-128:]
