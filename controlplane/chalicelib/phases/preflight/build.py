"""Bundle, template and secret: whether what is to be rolled out is there, and would work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.artifacts import assembly
from chalicelib.domain.errors import AccessDenied, AwsCallFailed, BadRequest, NotFound, PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.stack import template

from .findings import Finding

_REBUILD = "Run bootstrap.py up again: it builds and uploads the bundle."


def check(request: Request, aws: Aws) -> tuple[list[Finding], dict[str, Any]]:
    """Findings, and sizes of what would be built. Nothing is uploaded."""
    try:
        bundle = aws.artifacts.get(aws.settings.bundle_key)
    except NotFound:
        missing = Finding("artifact", f"the bundle {aws.settings.bundle_key} is not in the bucket", _REBUILD)
        return [missing, *_secret(request, aws)], {}
    try:
        files = assembly.unpack(bundle)
        built = assembly.with_bytecode(assembly.select(files))
    except PhaseFailed as error:
        broken = Finding("artifact", error.message, error.remedy or _REBUILD, field=error.field or "")
        return [broken, *_secret(request, aws)], {}
    told = {"files": len(built), "unpacked_bytes": sum(map(len, built.values()))}
    return [*_template(files, aws), *_secret(request, aws)], told


def _template(files: dict[str, bytes], aws: Aws) -> Iterator[Finding]:
    text = files.get("template.yaml", b"").decode()
    if len(text.encode()) > template.MAX_BYTES:
        yield Finding(
            "template",
            f"template.yaml has {len(text.encode())} bytes; CloudFormation takes {template.MAX_BYTES} in a request",
            "Shorten it.",
        )
        return
    try:
        declared = set(aws.stacks.validate(template.with_snapshot(text, {})))
    except (AwsCallFailed, BadRequest) as error:
        yield Finding("template", f"template.yaml is not valid: {error.message}", "Correct proxy/template.yaml.")
        return
    for name in sorted(declared ^ template.PARAMETERS):
        verb = "declares" if name in declared else "lacks"
        yield Finding(
            "template",
            f"template.yaml {verb} the parameter {name}, which we do {'not ' * (name in declared)}give",
            "Template and control plane are of different versions: run bootstrap.py up.",
        )


def _secret(request: Request, aws: Aws) -> Iterator[Finding]:
    wanted = request.config.secret_arn or Names(request.environment.name).secret
    adopted = request.config.secret_arn
    where = "config.secret_arn" if adopted else "secret"
    try:
        info = aws.secrets.find(wanted)
    except AccessDenied:
        # An adopted secret is opened by its tag; IAM does not tell a missing tag from a secret that is not there.
        yield Finding(
            "secret",
            f"the secret {wanted} is not there, or not ours to read",
            "Check the ARN, and adopt it: aws secretsmanager tag-resource --secret-id ARN --tags"
            " Key=proxyctl:owner,Value=proxyctl",
            field=where,
        )
        return
    if info is None or info.doomed:
        state = "is scheduled for deletion" if info else "does not exist"
        name = request.environment.name
        store = f"python -m ctl secret set {name}, or PUT /environments/{name}/secret"
        back = "aws secretsmanager restore-secret --secret-id ARN" if info else "give the ARN of one that does"
        remedy = back if adopted else f"Store it: {store}."
        yield Finding("secret", f"the secret {wanted} {state}", remedy, field=where)
