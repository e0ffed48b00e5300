"""What a release is: code and settings, one fingerprint over both, and how to tell whether it is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.aws.functions import FunctionConfig, Version
from chalicelib.domain.config import Config
from chalicelib.engine.fingerprints import fingerprint

_MARK = 16  # characters of the fingerprint that a version's description holds


@dataclass(frozen=True, slots=True)
class Wanted:
    """code_sha256 is Lambda's base64 of the artifact's digest (hex); `fingerprint` is over all the rest."""

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
    secret_version: str,
    response_mode: str,
    runtime: str,
) -> Wanted:
    """The release that a configuration and an artifact make."""
    variables = {
        "ENVIRONMENT_NAME": environment,
        "SECRET_ARN": secret_arn,
        "SECRET_TTL_S": str(config.secret_ttl_s),
        "LOG_LEVEL": config.log_level,
        "RESPONSE_MODE": response_mode,
        "ARTIFACT_DIGEST": digest,
        # The proxy reads what is current; this makes a new version of a new secret, with nothing cached.
        "SECRET_VERSION_AT_RELEASE": secret_version,
    }
    if runtime.startswith("python"):
        # Our own loop takes the place of the managed runtime's, which cannot stream.
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/bootstrap"
    mark = fingerprint(code_sha256, config.memory_mb, config.timeout_s, variables, runtime)
    return Wanted(digest, code_sha256, config.memory_mb, config.timeout_s, variables, mark)


def settings_differ(current: FunctionConfig, release: Wanted) -> bool:
    """Whether the function's settings must be updated."""
    is_now = (current.memory_mb, current.timeout_s, dict(current.environment))
    return is_now != (release.memory_mb, release.timeout_s, dict(release.environment))


def description(release: Wanted, deployment_id: str) -> str:
    """What a published version says of itself: what it is made of, and who made it. At most 256 characters."""
    return f"{release.fingerprint[:_MARK]} artifact {release.digest[:12]} by {deployment_id}"[:256]


def made_by(version: Version, deployment_id: str) -> bool:
    """Whether this deployment published it."""
    return version.description.endswith(f" by {deployment_id}")


def published(versions: Iterable[Version], release: Wanted) -> Version | None:
    """The newest version that is this release already."""
    same = [
        version
        for version in versions
        if version.description.startswith(release.fingerprint[:_MARK]) and version.code_sha256 == release.code_sha256
    ]
    return max(same, key=lambda version: int(version.number), default=None)


def health_problem(status: int, health: Mapping[str, Any], *, version: str, digest: str, secret_version: str) -> str:
    """What in the candidate's own account of itself is not as released; empty when all is."""
    if status != 200:
        return f"/health answered {status or 'nothing'} ({str(health)[:200]})"
    secret = health.get("secret")
    told = {
        "version": (str(health.get("version")), version),
        "artifact": (str(health.get("artifact")), digest),
        "secret version": (str(secret.get("version_id") if isinstance(secret, dict) else None), secret_version),
    }
    wrong = [f"{name} is {seen}, not {right}" for name, (seen, right) in told.items() if seen != right]
    return "; ".join(wrong)


def superseded(numbers: Sequence[str], kept: Collection[str], keep_last: int) -> list[str]:
    """Versions (numbers, oldest first) that may go: not among the last `keep_last`, nor in `kept`."""
    old = numbers[: max(0, len(numbers) - keep_last)]
    return [number for number in old if number not in kept]
