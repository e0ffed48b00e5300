"""The environment, read once into a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MODES = ("stream", "buffered")
# What API Gateway is told that a stream with a prelude is. AWS's examples use the first; two public projects had to use
# the second.
STREAM_CONTENT_TYPES = {
    "integration": "application/vnd.awslambda.http-integration-response",
    "octet-stream": "application/octet-stream",
}
MAX_TTL_S = 86_400.0
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


UNRELEASED = "unreleased"  # what template.yaml sets; release_code sets the digest


class SettingsError(ValueError):
    """An environment variable is missing or wrong; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployment decides about the proxy; what its operator decides is in the secret."""

    secret_arn: str
    environment: str
    log_level: str
    response_mode: str  # stream | buffered
    artifact_digest: str
    secret_ttl_s: float
    function_version: str
    stream_content_type: str = STREAM_CONTENT_TYPES["integration"]

    @property
    def unreleased(self) -> bool:
        """Whether this is the version that the stack made before anything was checked."""
        return self.artifact_digest == UNRELEASED


def from_environment(env: Mapping[str, str]) -> Settings:
    """Read the variables of the Lambda function. Raises SettingsError naming the variable."""
    return Settings(
        secret_arn=_required(env, "SECRET_ARN"),
        environment=env.get("ENVIRONMENT_NAME") or "local",
        log_level=_one_of(env, "LOG_LEVEL", "INFO", LEVELS),
        response_mode=_one_of(env, "RESPONSE_MODE", "stream", MODES),
        artifact_digest=env.get("ARTIFACT_DIGEST", ""),
        secret_ttl_s=_seconds(env, "SECRET_TTL_S", 300.0),
        function_version=env.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        stream_content_type=STREAM_CONTENT_TYPES[
            _one_of(env, "STREAM_CONTENT_TYPE", "integration", tuple(STREAM_CONTENT_TYPES))
        ],
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: the template must pass it to the function")
    return value


def _one_of(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name) or default
    for option in allowed:
        if value.lower() == option.lower():
            return option
    raise SettingsError(f"{name} is {value!r}: it must be one of {', '.join(allowed)}")


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}: it must be a number of seconds") from None
    if not 1.0 <= value <= MAX_TTL_S:
        raise SettingsError(f"{name} is {text!r}: it must be between 1 and 86400 seconds")
    return value
