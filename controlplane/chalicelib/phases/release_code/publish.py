"""Updates the function's code and settings, publishes a version, and deletes old ones. One update at a time."""

from __future__ import annotations

from chalicelib.domain.aws.functions import FunctionConfig, FunctionSettings, Version
from chalicelib.domain.errors import AwsCallFailed, PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.release import release
from chalicelib.release.release import WantedRelease


def update(current: FunctionConfig, wanted: WantedRelease, request: Request, aws: Aws) -> bool:
    """Start one update if `$LATEST` differs from the release; answers whether one was started.

    Lambda refuses a second update until the first has settled, so code goes first and settings in a later call.
    """
    function = request.names.function
    if current.code_sha256 != wanted.code_sha256:
        key = request.results.of(ArtifactEvidence).key
        aws.functions.update_code(function, bucket=aws.settings.bucket, key=key)
        return True
    if release.settings_differ(current, wanted):
        settings = FunctionSettings(wanted.memory_mb, wanted.timeout_s, wanted.environment)
        aws.functions.update_settings(function, settings)
        return True
    return False


def publish(wanted: WantedRelease, request: Request, aws: Aws) -> Version:
    """Publish `$LATEST` as a version. Raises PhaseFailed (PublishFailed) when its code is not the artifact."""
    function = request.names.function
    try:
        # Lambda compares the digests: code that someone changed in between is not published.
        return aws.functions.publish(
            function,
            code_sha256=wanted.code_sha256,
            description=release.description(wanted, request.deployment_id),
        )
    except AwsCallFailed as error:
        raise PhaseFailed(
            f"Lambda refused to publish {function}: {error.message}",
            code="PublishFailed",
            remedy="If someone else changed the function, deploy again; else correct what the message names.",
        ) from error


def prune(released: str, request: Request, aws: Aws) -> tuple[str, ...]:
    """Delete superseded versions; answers their numbers.

    Kept are the newest `config.keep_versions`, the released one, each that an alias or a good release names, and the
    stack's own: CloudFormation reads that with every update.
    """
    function, environment = request.names.function, request.environment
    good = (environment.live, environment.last_good, environment.previous)
    in_use = {released} | {entry.version for entry in good if entry}
    for alias in aws.functions.aliases(function).values():
        in_use |= {alias.version, *alias.weights}
    versions = aws.functions.versions(function)
    in_use |= {version.number for version in versions if release.is_of_the_stack(version)}
    numbers = [version.number for version in versions]
    superseded = release.superseded(numbers, in_use, request.config.keep_versions)
    for number in superseded:
        aws.functions.delete_version(function, number)
    return tuple(superseded)
