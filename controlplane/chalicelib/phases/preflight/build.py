"""Builds the artifact without uploading it, and checks template and secret: whether what is rolled out would work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.artifacts import assembly
from chalicelib.domain.errors import AccessDenied, AwsCallFailed, BadRequest, NotFound, PhaseFailed
from chalicelib.domain.evidence.preflight import Build, Finding
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.stack import template

_REBUILD = "Run bootstrap.py up again: it builds and uploads the bundle."


def check(request: Request, aws: Aws) -> tuple[list[Finding], Build]:
    """Findings, and the sizes of what would be uploaded."""
    findings, files, build = _build(request.bundle(aws), aws)
    if files:
        findings.extend(_template(files.get("template.yaml", b"").decode(), aws))
    return [*findings, *_secret(request, aws)], build


def _build(bundle: str, aws: Aws) -> tuple[list[Finding], Mapping[str, bytes], Build]:
    """Findings, the bundle's files ({} when it is missing or broken), and the artifact's sizes."""
    try:
        files = assembly.unpack(aws.artifacts.get(bundle))
        artifact = assembly.with_bytecode(assembly.select(files))
    except NotFound:
        missing = f"the bundle {bundle} is not in the bucket"
        return [Finding("artifact", missing, _REBUILD)], {}, Build()
    except PhaseFailed as error:
        return [Finding("artifact", error.message, error.remedy or _REBUILD, field=error.field or "")], {}, Build()
    return [], files, Build(len(artifact), sum(map(len, artifact.values())))


def _template(text: str, aws: Aws) -> Iterator[Finding]:
    size = len(text.encode())
    if size > template.MAX_BYTES:
        message = f"template.yaml has {size} bytes; CloudFormation takes {template.MAX_BYTES} in a request"
        yield Finding("template", message, "Shorten it.")
        return
    try:
        declared = set(aws.stacks.validate(_rendered(text)))
    except (AwsCallFailed, BadRequest) as error:
        yield Finding("template", f"template.yaml is not valid: {error.message}", "Correct proxy/template.yaml.")
        return
    for name in sorted(declared ^ template.PARAMETERS):
        declares, sets = ("declares", "does not set") if name in declared else ("lacks", "sets")
        yield Finding(
            "template",
            f"template.yaml {declares} the parameter {name}, which the control plane {sets}",
            "Template and control plane are of different versions: run bootstrap.py up, and before a promotion deploy "
            "the environment that it comes from.",
        )


def _rendered(text: str) -> str:
    snapshot = template.snapshot_id(text, {})
    return template.with_snapshots(text, snapshot, snapshot)


def _secret(request: Request, aws: Aws) -> Iterator[Finding]:
    adopted = request.config.secret_arn
    name, field = adopted or request.names.secret, "config.secret_arn" if adopted else "secret"
    try:
        info = aws.secrets.find(name)
    except AccessDenied:
        # The policy allows adopted secrets by tag; IAM answers the same for a missing tag and for a missing secret.
        yield Finding(
            "secret",
            f"the secret {name} does not exist, or its tag does not allow us to read it",
            "Check the ARN, and adopt it: aws secretsmanager tag-resource --secret-id ARN --tags"
            " Key=proxyctl:owner,Value=proxyctl",
            field=field,
        )
        return
    if info is None:
        remedy = "Give the ARN of one that does." if adopted else _store(request)
        yield Finding("secret", f"the secret {name} does not exist", remedy, field=field)
    elif info.doomed:
        yield _doomed(name, field, request)


def _doomed(name: str, field: str, request: Request) -> Finding:
    """Under a live release prepare_secret cancels the deletion, and check_drift names and heals it."""
    adopted = request.config.secret_arn is not None
    remedy = "aws secretsmanager restore-secret --secret-id ARN" if adopted else _store(request)
    blocks = adopted or not request.environment.reads_its_own_secret
    return Finding("secret", f"the secret {name} is scheduled for deletion", remedy, blocks=blocks, field=field)


def _store(request: Request) -> str:
    name = request.environment.name
    return f"Store it: python -m ctl secret set {name}, or PUT /environments/{name}/secret."
