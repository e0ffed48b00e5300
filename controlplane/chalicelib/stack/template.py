"""The environment's template as text: what its API is made of, and the parameters that a deployment gives it.

It is read as text, since Lambda's Python has no YAML parser: two comments fence what an API deployment snapshots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Release
from chalicelib.engine.fingerprints import fingerprint

BEGIN, END = "# api: begin", "# api: end"
SNAPSHOT = "ApiDeploymentSnapshot"
MAX_BYTES = 51_200  # what CloudFormation takes in a request body

# Given once, when the stack is created; release_code owns what they set from then on.
_ONCE = frozenset({"ArtifactKey", "ArtifactBucket", "MemorySize", "TimeoutSeconds", "LogLevel", "SecretTtlSeconds"})
# What only keeps a permission a while longer is no reason to touch a stack.
IN_USE = frozenset({"SecretInUseArn", "SecretInUseKmsKeyArn"})
_GATEWAY_BUFFERED_MS = 29_000  # API Gateway's own limit where responses are not streamed


@dataclass(frozen=True, slots=True)
class Given:
    """What the template is told beside `config`: facts that other phases and the control plane know.

    in_use: the parameters of `IN_USE`, see `in_use`.
    """

    environment: str
    bucket: str
    artifact_key: str
    secret_arn: str
    kms_key_arn: str
    in_use: Mapping[str, str]
    runtime: str
    response_mode: str
    access_logs: bool


def _api_lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    stripped = [line.strip() for line in lines]
    if stripped.count(BEGIN) != 1 or stripped.count(END) != 1 or SNAPSHOT not in text:
        raise BadRequest(
            f"template.yaml must have one line {BEGIN!r}, one line {END!r} and a resource {SNAPSHOT}",
            field="template.yaml",
            remedy="Put the marker comments around all that an API deployment snapshots.",
        )
    fenced = lines[stripped.index(BEGIN) + 1 : stripped.index(END)]
    return [line for line in fenced if line.strip() and not line.strip().startswith("#")]


def with_snapshot(text: str, parameters: Mapping[str, str]) -> str:
    """The template with a logical id for the API's deployment that changes exactly when the API does.

    `parameters` are those that shape the API's methods.
    """
    digest = fingerprint(_api_lines(text), dict(parameters))[:12]
    return text.replace(SNAPSHOT, f"ApiDeployment{digest}")


def integration_timeout_ms(timeout_s: int, response_mode: str) -> int:
    """How long API Gateway waits: as long as the function may take, as far as API Gateway lets it."""
    wanted = timeout_s * 1_000
    return wanted if response_mode == "stream" else min(wanted, _GATEWAY_BUFFERED_MS)


def restorable(config: Config) -> dict[str, str]:
    """Parameters by which the stack alone holds what a release ran with, and which change in place."""
    return {
        "LogRetentionDays": str(config.log_retention_days),
        "ThrottleRate": f"{config.throttle.rate_per_s:g}",
        "ThrottleBurst": str(config.throttle.burst),
    }


def lasting(config: Config, response_mode: str) -> dict[str, str]:
    """Those that shape the API or the function for all versions, so that only a deploy changes them."""
    return {
        "IntegrationTimeoutMs": str(integration_timeout_ms(config.timeout_s, response_mode)),
        "ReservedConcurrency": "" if config.reserved_concurrency is None else str(config.reserved_concurrency),
    }


def in_use(
    config: Config, releases: Iterable[Release], own: str, wanted: str, stands: Mapping[str, str]
) -> dict[str, str]:
    """The other secret that the newest of `releases` still read, and its key. own: ARN of the environment's own secret;
    wanted: ARN of the one that is rolled out; stands: the stack's parameters."""
    others = (release.config.get("secret_arn") for release in releases)
    other = next((arn or own for arn in others if arn != config.secret_arn), "")
    kept = "SecretInUseKmsKeyArn" if stands.get("SecretArn") == wanted else "SecretKmsKeyArn"
    return {"SecretInUseArn": other, "SecretInUseKmsKeyArn": stands.get(kept, "") if other else ""}


def parameters(config: Config, given: Given, *, creates: bool) -> dict[str, str | None]:
    """The stack's parameters; None keeps the value that the stack has."""
    all_of_them: dict[str, str | None] = {
        "Environment": given.environment,
        "ArtifactBucket": given.bucket,
        "ArtifactKey": given.artifact_key,
        "SecretArn": given.secret_arn,
        "SecretKmsKeyArn": given.kms_key_arn,
        **given.in_use,
        "Runtime": given.runtime,
        "ResponseMode": given.response_mode,
        "MemorySize": str(config.memory_mb),
        "TimeoutSeconds": str(config.timeout_s),
        "LogLevel": config.log_level,
        "SecretTtlSeconds": str(config.secret_ttl_s),
        **restorable(config),
        **lasting(config, given.response_mode),
        "AccessLogs": "on" if given.access_logs else "off",
    }
    if creates:
        return all_of_them
    return {name: None if name in _ONCE else value for name, value in all_of_them.items()}


PARAMETERS = frozenset(
    [
        "Environment",
        "ArtifactBucket",
        "ArtifactKey",
        "SecretArn",
        "SecretKmsKeyArn",
        "SecretInUseArn",
        "SecretInUseKmsKeyArn",
        "Runtime",
        "ResponseMode",
        "MemorySize",
        "TimeoutSeconds",
        "IntegrationTimeoutMs",
        "LogLevel",
        "SecretTtlSeconds",
        "LogRetentionDays",
        "ThrottleRate",
        "ThrottleBurst",
        "ReservedConcurrency",
        "AccessLogs",
    ]
)


def shaping(all_of_them: Mapping[str, str | None]) -> dict[str, str]:
    """Those parameters that change what an API deployment snapshots."""
    return {name: all_of_them[name] or "" for name in ("ResponseMode", "IntegrationTimeoutMs", "Environment")}
