"""What the environment's stack is told: template, parameters, names and tokens."""

from __future__ import annotations

from chalicelib.artifacts import assembly
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import template

OURS = "proxyctl-"  # how the names of our change sets begin


def parameters(request: Request, aws: Aws, *, creates: bool) -> dict[str, str | None]:
    secret = request.results.of(SecretEvidence)
    names = request.names
    stack = aws.stacks.find(names.stack)
    where = f"arn:{aws.settings.partition}:secretsmanager:{aws.settings.region}:{aws.settings.account}"
    in_use = template.in_use(
        request.config,
        [release for release in (request.environment.live, request.environment.previous) if release],
        f"{where}:secret:{names.secret}-??????",
        secret.arn,
        stack.parameters if stack else {},
    )
    inputs = template.Given(
        environment=request.environment.name,
        bucket=aws.settings.bucket,
        artifact_key=request.results.of(ArtifactEvidence).key,
        secret_arn=secret.arn,
        kms_key_arn=secret.kms_key,
        in_use=in_use,
        runtime=aws.settings.proxy_runtime,
        response_mode=mode(request, aws),
        access_logs=bool(aws.gateway.account().log_role),
    )
    return template.parameters(request.config, inputs, creates=creates)


def text(request: Request, aws: Aws) -> str:
    """The bundle's template, with the API's digest in it."""
    raw = assembly.unpack(aws.artifacts.get(aws.settings.bundle_key))["template.yaml"].decode()
    return template.with_snapshot(raw, template.shaping(parameters(request, aws, creates=True)))


def mode(request: Request, aws: Aws) -> str:
    return request.config.response_mode or aws.settings.response_mode


def change_set_name(request: Request) -> str:
    return f"{OURS}{request.deployment_id}"[:128]


def token(request: Request, what: str) -> str:
    return f"{request.deployment_id}-{what}"[-128:]


def must_find(stack: str, aws: Aws) -> Stack:
    """The stack of that name or id. Raises PhaseFailed (StackVanished)."""
    existing = aws.stacks.find(stack)
    if existing is None:
        raise PhaseFailed(
            f"stack {stack} has vanished", code="StackVanished", remedy="Someone deleted it: deploy again."
        )
    return existing


def last_event(stack: str, aws: Aws) -> str:
    events = aws.stacks.events(must_find(stack, aws).id)
    return events[-1].id if events else ""
