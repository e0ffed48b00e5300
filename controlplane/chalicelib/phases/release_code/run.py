"""Phase 6: makes the artifact and the settings the function's newest version, and points `candidate` at it.

The stack is not touched. A version is published only when code or settings differ from every version that is there: the
version's description holds the fingerprint of both. Then the candidate itself must say that it runs this artifact and
could read its secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.aws.functions import Alias, FunctionConfig, FunctionSettings, Version
from chalicelib.domain.errors import AccessDenied, AwsCallFailed, NotFound, PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws
from chalicelib.release import release, sabotage
from chalicelib.stack.urls import candidate_url

CANDIDATE = "candidate"
_SETTLE_S = 10 * 60
_HEALTH_S = 90
_SABOTAGED_S = 10  # a drill's broken release will not come up, however long it is waited for
_TIMEOUT_S = 28.0


def fingerprint(request: Request, aws: Aws) -> str:
    """Code, settings, secret, and what the stack last did to the function; and that the candidate still stands."""
    names = Names(request.environment.name)
    stack = request.results["deploy_stack"]
    try:
        candidate = aws.functions.aliases(names.function)[CANDIDATE].version
    except (NotFound, KeyError):
        candidate = ""
    return fingerprint_of(
        _wanted(request, aws).fingerprint,
        request.results["prepare_secret"]["version_id"],
        stack["stack_id"],
        candidate,
        request.config.keep_versions,
    )


def run(request: Request, aws: Aws) -> Result:
    wanted = _wanted(request, aws)
    function = Names(request.environment.name).function
    current = aws.functions.config(function)
    if current.update_status == "Failed" or current.state == "Failed":
        raise PhaseFailed(
            f"Lambda could not update {function}: {current.update_reason or current.state}",
            code="UpdateFailed",
            remedy="Correct what Lambda names and deploy again; the live version is untouched.",
        )
    if current.update_status != "Successful" or current.state == "Pending":
        return _waiting(request, f"Lambda is still updating {function}")
    known = release.published(aws.functions.versions(function), wanted)
    if known is None:
        if _set(function, current, wanted, request, aws):
            return _waiting(request, "Lambda is taking over code and settings")
        known = _publish(function, wanted, request, aws)
    if aws.functions.aliases(function)[CANDIDATE] != Alias(CANDIDATE, known.number):
        aws.functions.point(function, Alias(CANDIDATE, known.number))
    return _prove(known, wanted, request, aws)


def _wanted(request: Request, aws: Aws) -> release.Wanted:
    packaged = request.results["package_artifact"]
    wanted = release.wanted(
        request.config,
        environment=request.environment.name,
        digest=str(packaged["digest"]),
        code_sha256=str(packaged["code_sha256"]),
        secret_arn=str(request.results["prepare_secret"]["arn"]),
        secret_version=str(request.results["prepare_secret"]["version_id"]),
        response_mode=request.config.response_mode or aws.settings.response_mode,
        runtime=aws.settings.proxy_runtime,
    )
    return sabotage.broken(wanted) if _sabotaged(request) else wanted


def _sabotaged(request: Request) -> bool:
    return sabotage.is_sabotaged(request.environment.name, request.options)


def _waiting(request: Request, words: str) -> Result:
    asked = int(request.cursor.get("asked", 0))
    if request.elapsed_s > _SETTLE_S:
        raise PhaseFailed(
            f"{words}, for {int(request.elapsed_s)} s",
            code="UpdateTimeout",
            remedy="Look at the function in the console.",
        )
    return Result.in_progress(words, poll_after_s=next_poll_s(asked), cursor={**request.cursor, "asked": asked + 1})


def _set(function: str, current: FunctionConfig, wanted: release.Wanted, request: Request, aws: Aws) -> bool:
    """Start one update, if one is needed: Lambda refuses a second one until the first has settled."""
    if current.code_sha256 != wanted.code_sha256:
        key = str(request.results["package_artifact"]["key"])
        aws.functions.update_code(function, bucket=aws.settings.bucket, key=key)
        return True
    if release.settings_differ(current, wanted):
        settings = FunctionSettings(wanted.memory_mb, wanted.timeout_s, wanted.environment)
        aws.functions.update_settings(function, settings)
        return True
    return False


def _publish(function: str, wanted: release.Wanted, request: Request, aws: Aws) -> Version:
    try:
        # Lambda compares: had someone changed the code in between, this version would not be what was tested.
        return aws.functions.publish(
            function,
            code_sha256=wanted.code_sha256,
            description=release.description(wanted, request.deployment_id),
        )
    except AwsCallFailed as error:
        raise PhaseFailed(
            f"Lambda refused to publish {function}: {error.message}",
            code="PublishFailed",
            remedy="If someone else changed the function, deploy again; else see the message.",
        ) from error


def _prove(version: Version, wanted: release.Wanted, request: Request, aws: Aws) -> Result:
    """Ask the candidate itself, through API Gateway's IAM path, until it is the one that was released."""
    if version.code_sha256 != wanted.code_sha256:
        raise PhaseFailed(
            f"version {version.number} has CodeSha256 {version.code_sha256}, the artifact {wanted.code_sha256}",
            code="WrongCode",
            remedy="Deploy again with options.force.",
        )
    stack = request.results["deploy_stack"]
    url = candidate_url(stack["outputs"], aws.settings.endpoint_url, "/health")
    status, told = _health(url, aws)
    problem = release.health_problem(
        status,
        told,
        version=version.number,
        digest=wanted.digest,
        secret_version=str(request.results["prepare_secret"]["version_id"]),
    )
    if problem:
        since = float(request.cursor.get("asking_since", request.elapsed_s))
        if request.elapsed_s - since < (_SABOTAGED_S if _sabotaged(request) else _HEALTH_S):
            asked = int(request.cursor.get("health_asked", 0))
            return Result.in_progress(
                f"Version {version.number} is not ready yet: {problem}",
                poll_after_s=next_poll_s(asked),
                cursor={**request.cursor, "asking_since": since, "health_asked": asked + 1},
            )
        raise PhaseFailed(
            f"the candidate, version {version.number}, is not what was released: {problem}",
            code="CandidateUnhealthy",
            remedy=f"Look at the function's log {Names(request.environment.name).log_group}; live is untouched.",
            evidence={"url": url, "status": status, "health": told},
        )
    return _done(version, wanted, told, request, aws)


def _health(url: str, aws: Aws) -> tuple[int, Mapping[str, Any]]:
    try:
        reply = aws.endpoint.call("GET", url, signed=True, timeout_s=_TIMEOUT_S)
    except AwsCallFailed as error:
        return 0, {"error": error.message}
    told = reply.json()
    return reply.status, told if isinstance(told, dict) else {"body": reply.body[:200].decode(errors="replace")}


def _done(version: Version, wanted: release.Wanted, health: Mapping[str, Any], request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    refused = _refused_the_key(request, aws)
    pruned = _prune(names, version.number, request, aws)
    made_here = release.made_by(version, request.deployment_id)
    verb = "published" if made_here else "was there already"
    return Result.done(
        f"Version {version.number} {verb}; the candidate runs artifact {wanted.digest[:12]} and reads its secret",
        version=version.number,
        published=made_here,
        code_sha256=version.code_sha256,
        artifact_digest=wanted.digest,
        fingerprint=wanted.fingerprint,
        memory_mb=wanted.memory_mb,
        timeout_s=wanted.timeout_s,
        environment=sorted(wanted.environment),
        health=dict(health),
        execution_role_reads_secret=True,
        stranger=refused,
        pruned=pruned,
    )


def _refused_the_key(request: Request, aws: Aws) -> str:
    """This Lambda's own role has no business with the provider's key, so it must be refused: tried for real."""
    try:
        aws.secrets.read(str(request.results["prepare_secret"]["arn"]))
    except AccessDenied:
        return "refused: release_code's own role tried to read the secret and was denied"
    raise PhaseFailed(
        "release_code's role, which has no business with the secret, can read it",
        code="SecretAccess",
        remedy="Someone widened its policy, or the secret's own policy; it must be the proxy's role's alone.",
    )


def _prune(names: Names, released: str, request: Request, aws: Aws) -> list[str]:
    """Old versions go, but not the newest, nor any that an alias or a record of a good release names."""
    environment = request.environment
    good = (environment.live, environment.last_good, environment.previous)
    kept = {released} | {one.version for one in good if one}
    for alias in aws.functions.aliases(names.function).values():
        kept |= {alias.version, *alias.weights}
    numbers = [version.number for version in aws.functions.versions(names.function)]
    doomed = release.superseded(numbers, kept, request.config.keep_versions)
    for number in doomed:
        aws.functions.delete_version(names.function, number)
    return doomed


PHASE = Definition(run, dict, fingerprint=fingerprint)
