"""Inputs of the environment's stack: template, parameters, names and tokens, read from AWS and earlier phases."""

from __future__ import annotations

from chalicelib.artifacts import assembly
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import template

CHANGE_SET_PREFIX = "proxyctl-"


def parameters(request: Request, aws: Aws, *, creates: bool) -> dict[str, str | None]:
    """Value by parameter name; None keeps the stack's value. creates: whether the stack does not exist yet.

    Raises PhaseFailed (EvidenceMissing) before prepare_secret and package_artifact have ended.
    """
    secret = request.results.of(SecretEvidence)
    stack_inputs = template.StackInputs(
        environment=request.environment.name,
        bucket=aws.settings.bucket,
        artifact_key=request.results.of(ArtifactEvidence).key,
        secret_arn=secret.arn,
        kms_key_arn=secret.kms_key,
        in_use=_secret_in_use(request, secret, aws),
        runtime=aws.settings.proxy_runtime,
        response_mode=mode(request, aws),
        access_logs=bool(aws.gateway.account().log_role),
    )
    return template.parameters(request.config, stack_inputs, creates=creates)


def _secret_in_use(request: Request, secret: SecretEvidence, aws: Aws) -> dict[str, str]:
    names, settings = request.names, aws.settings
    stack = aws.stacks.find(names.stack)
    prefix = f"arn:{settings.partition}:secretsmanager:{settings.region}:{settings.account}"
    releases = [release for release in (request.environment.live, request.environment.previous) if release]
    return template.in_use(
        request.config,
        releases,
        own=f"{prefix}:secret:{names.secret}-??????",
        wanted=secret.arn,
        current=stack.parameters if stack else {},
    )


def text(request: Request, aws: Aws) -> str:
    """The template of the control plane's bundle (YAML), with a logical id for the API deployment as
    `template.with_snapshot` describes. Raises what `parameters` raises."""
    raw = assembly.unpack(aws.artifacts.get(aws.settings.bundle_key))["template.yaml"].decode()
    return template.with_snapshot(raw, template.shaping(parameters(request, aws, creates=True)))


def mode(request: Request, aws: Aws) -> str:
    """The response mode, `stream` or `buffered`: the configured one, else the control plane's default."""
    return request.config.response_mode or aws.settings.response_mode


def change_set_name(request: Request) -> str:
    """The name of this deployment's change set, at most 128 characters."""
    return f"{CHANGE_SET_PREFIX}{request.deployment_id}"[:128]


def token(request: Request, what: str) -> str:
    """A client request token of at most 128 characters: CloudFormation does the same `what` once a deployment."""
    return f"{request.deployment_id}-{what}"[-128:]


def must_find(stack: str, aws: Aws) -> Stack:
    """The stack of that name or id. Raises PhaseFailed (StackVanished)."""
    existing = aws.stacks.find(stack)
    if existing is None:
        raise PhaseFailed(
            f"stack {stack} no longer exists",
            code="StackVanished",
            remedy="Someone deleted it during the deployment. Deploy again.",
        )
    return existing


def last_event(stack: str, aws: Aws) -> str:
    """The id of the stack's newest event, "" for none. Raises PhaseFailed (StackVanished)."""
    events = aws.stacks.events(must_find(stack, aws).id)
    return events[-1].id if events else ""
