"""The recorded state of an environment's live release: configuration, settings and alarms."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.aws.functions import FunctionConfig, FunctionSettings
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Environment, Release
from chalicelib.domain.names import Names
from chalicelib.domain.settings import Settings
from chalicelib.engine.phase import applied_as
from chalicelib.monitoring.alarms import definitions
from chalicelib.release import release


def config(live: Release) -> Config:
    """The configuration of the release."""
    return decode_lenient(Config, dict(live.config))


def secret(environment: Environment) -> SecretEvidence:
    """The secret as prepare_secret last left it; all fields empty when it never ran."""
    return applied_as(environment, SecretEvidence) or SecretEvidence()


def alarms(environment: Environment, live: Release, topic_arn: str) -> Sequence[Alarm]:
    """The alarms with the release's thresholds; each notifies the topic."""
    outputs = (applied_as(environment, StackEvidence) or StackEvidence()).outputs
    thresholds = config(live).alarms
    return definitions(Names(environment.name), thresholds, stage=outputs.get("StageName", "api"), topic_arn=topic_arn)


def settings(
    environment: Environment, live: Release, version: FunctionConfig, account: Settings
) -> FunctionSettings | None:
    """Memory, timeout and variables of the release; None when the record does not have its configuration.

    A rollback to a version by its number leaves such a record. version: the live version as Lambda has it.
    """
    if not live.config or not live.artifact:
        return None
    recorded = config(live)
    wanted = release.wanted(
        recorded,
        environment=environment.name,
        digest=live.artifact,
        code_sha256="",
        secret_arn=secret(environment).arn,
        response_mode=recorded.response_mode or account.response_mode,
        runtime=account.proxy_runtime,
    )
    return FunctionSettings(wanted.memory_mb, wanted.timeout_s, {**_of_old_releases(version), **wanted.environment})


def _of_old_releases(version: FunctionConfig) -> dict[str, str]:
    """The variable that control planes before secret releases set, with the version's own value."""
    name = "SECRET_VERSION_AT_RELEASE"
    return {name: version.environment[name]} if name in version.environment else {}
