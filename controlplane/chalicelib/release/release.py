"""A release: code and settings, one fingerprint over both, and how to recognise it among a function's versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.aws.functions import FunctionConfig, Version
from chalicelib.domain.config import Config
from chalicelib.engine.fingerprints import fingerprint

_MARK = 16  # characters of the fingerprint in a version's description
_DESCRIPTION_LIMIT = 256  # Lambda's own
CLOSED = "Answers 503 until a release has passed"  # the description of ClosedVersion in proxy/template.yaml
_FIRST = "1"  # CloudFormation makes the function and this version of it before anything is released


@dataclass(frozen=True, slots=True)
class WantedRelease:
    """The release that a configuration and an artifact make.

    digest: identifies the artifact (hex); code_sha256: of its zip, as Lambda writes it (base64). environment: variables
    by name. fingerprint: over code, settings and runtime.
    """

    digest: str
    code_sha256: str
    memory_mb: int
    timeout_s: int
    environment: Mapping[str, str]
    fingerprint: str


def wanted(
    config: Config,
    *,
    environment: str,
    digest: str,
    code_sha256: str,
    secret_arn: str,
    response_mode: str,
    runtime: str,
    other_role: str = "",
) -> WantedRelease:
    """The release of `environment` with this configuration, artifact and secret.

    response_mode: `stream` or `buffered`; runtime: Lambda's identifier, such as `python3.11`. other_role: the name
    of its role where that is not the environment's first: versions published with an earlier one are not this release.
    """
    variables = {
        "ENVIRONMENT_NAME": environment,
        "SECRET_ARN": secret_arn,
        "SECRET_TTL_S": str(config.secret_ttl_s),
        "LOG_LEVEL": config.log_level,
        "RESPONSE_MODE": response_mode,
        "ARTIFACT_DIGEST": digest,
    }
    if config.compatibility.stream_content_type != "integration":
        variables["STREAM_CONTENT_TYPE"] = config.compatibility.stream_content_type
    if runtime.startswith("python"):
        # The managed runtime cannot stream; the wrapper starts the proxy's own runtime loop instead.
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/bootstrap"
    timeout_s = config.time_limit_s(response_mode)
    mark = fingerprint(
        code_sha256, config.memory_mb, timeout_s, variables, runtime, *([other_role] if other_role else [])
    )
    return WantedRelease(digest, code_sha256, config.memory_mb, timeout_s, variables, mark)


def settings_differ(current: FunctionConfig, release: WantedRelease) -> bool:
    """Whether the function's memory, timeout or variables must be updated."""
    settings = (current.memory_mb, current.timeout_s, dict(current.environment))
    return settings != (release.memory_mb, release.timeout_s, dict(release.environment))


def description(release: WantedRelease, deployment_id: str) -> str:
    """The description of the published version: its fingerprint, artifact and deployment; at most 256 characters."""
    text = f"{release.fingerprint[:_MARK]} artifact {release.digest[:12]} by {deployment_id}"
    return text[:_DESCRIPTION_LIMIT]


def was_published_by(version: Version, deployment_id: str) -> bool:
    """Whether this deployment published the version, by its description."""
    return version.description.endswith(f" by {deployment_id}")


def is_of_the_stack(version: Version) -> bool:
    """Whether CloudFormation made the version and owns it."""
    return version.number == _FIRST or version.description == CLOSED


def published(versions: Iterable[Version], release: WantedRelease) -> Version | None:
    """The newest version with the release's fingerprint and code; None when it was never published."""
    same = [
        version
        for version in versions
        if version.description.startswith(release.fingerprint[:_MARK]) and version.code_sha256 == release.code_sha256
    ]
    return max(same, key=lambda version: int(version.number), default=None)


def health_problem(status: int, health: Mapping[str, object], *, version: str, digest: str, secret_version: str) -> str:
    """How the candidate's `/health` differs from the release; "" when it does not.

    status: HTTP status, 0 when nothing answered; health: the JSON body.
    """
    if status != 200:
        return f"/health answered {status or 'nothing'} ({str(health)[:200]})"
    secret = health.get("secret")
    pairs = {
        "version": (str(health.get("version")), version),
        "artifact": (str(health.get("artifact")), digest),
        "secret version": (str(secret.get("version_id") if isinstance(secret, Mapping) else None), secret_version),
    }
    wrong = [f"{name} is {actual}, not {expected}" for name, (actual, expected) in pairs.items() if actual != expected]
    return "; ".join(wrong)


def superseded(numbers: Sequence[str], in_use: Collection[str], keep_last: int) -> list[str]:
    """The versions to delete: neither among the last `keep_last` nor in use. numbers: oldest first."""
    old = numbers[: max(0, len(numbers) - keep_last)]
    return [number for number in old if number not in in_use]
