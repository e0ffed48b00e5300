"""Looks at all of an environment that can drift, and puts back what can be put back safely (core/drift.py judges).

Safe means: no new code, no key, no stack. That leaves the alias, which goes back to the last good version, and the
alarms with their topic, which are defined anew as configure_monitoring defines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain import secret_schema
from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.aws.functions import Alias, FunctionConfig, FunctionSettings
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.model import Evidence, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.monitoring import apply
from chalicelib.monitoring.alarms import definitions as alarms_of
from chalicelib.ports import Aws
from chalicelib.release import release

from . import drift
from .drift import Finding


def look(request: Request, live: Release, aws: Aws) -> list[Finding]:
    """Everything but the stack: alias, settings, secret, alarms."""
    return [*_function(request, live, aws), *_secret(request, aws), *_alarms(request, live, aws)]


def heal(found: Sequence[Finding], request: Request, live: Release, aws: Aws) -> list[str]:
    """What was done, one line each."""
    names = Names(request.environment.name)
    kinds = {one.kind for one in found if one.heals}
    done = []
    if "alias" in kinds:
        aws.functions.point(names.function, Alias("live", live.version))
        done.append(f"live alias put back on version {live.version}")
    if "alarm" in kinds:
        topic = aws.topics.ensure(names.topic, names.tags)
        wanted = _wanted_alarms(request, live, topic)
        for alarm in wanted:
            aws.alarms.put(alarm, names.tags)
        apply.subscribe(topic, _config(live).notify, aws)
        done.append(f"{len(wanted)} alarms defined anew")
    return done


def _function(request: Request, live: Release, aws: Aws) -> list[Finding]:
    function = Names(request.environment.name).function
    try:
        aliases = aws.functions.aliases(function)
    except NotFound:
        return [Finding("alias", function, "there", "gone (the function)", "Deploy the environment again.")]
    found = drift.of_aliases(function, aliases, live.version)
    try:
        serves = aws.functions.config(function, live.version)
    except NotFound:
        gone = "Deploy again; the version that was good has been deleted."
        return [*found, Finding("settings", f"{function}:{live.version}", "there", "gone", gone)]
    latest = aws.functions.config(function)
    return [
        *found,
        *drift.of_settings(function, serves.settings, latest.settings, _settings(request, live, serves, aws)),
    ]


def _settings(request: Request, live: Release, serves: FunctionConfig, aws: Aws) -> FunctionSettings | None:
    """What the record says that the live version runs under; None when a rollback by number left no record of it."""
    if not live.config or not live.artifact:
        return None
    config = _config(live)
    wanted = release.wanted(
        config,
        environment=request.environment.name,
        digest=live.artifact,
        code_sha256="",
        secret_arn=str(_applied(request, "prepare_secret").get("arn", "")),
        # Which secret was current when it was released is a fact of that version, not a wish of the record's.
        secret_version=serves.environment.get("SECRET_VERSION_AT_RELEASE", ""),
        response_mode=config.response_mode or aws.settings.response_mode,
        runtime=aws.settings.proxy_runtime,
    )
    return FunctionSettings(wanted.memory_mb, wanted.timeout_s, wanted.environment)


def _secret(request: Request, aws: Aws) -> list[Finding]:
    applied = _applied(request, "prepare_secret")
    arn, version = str(applied.get("arn", "")), str(applied.get("version_id", ""))
    info = aws.secrets.find(arn) if arn else None
    if info is None or info.doomed or "AWSCURRENT" not in info.stages:
        why = "gone" if info is None else "scheduled for deletion" if info.doomed else "without a value"
        return drift.of_secret(arn or "the secret", "", version, "", gone=why)
    return drift.of_secret(info.name, info.stages["AWSCURRENT"], version, _malformed(info.arn, aws))


def _malformed(arn: str, aws: Aws) -> str:
    """What is wrong with the document, naming fields only: it holds keys."""
    try:
        secret_schema.check(secret_schema.parsed(aws.secrets.read(arn).text))
    except BadRequest as error:
        return error.message
    return ""


def _alarms(request: Request, live: Release, aws: Aws) -> list[Finding]:
    names = Names(request.environment.name)
    topic = aws.topics.find(names.topic)
    wanted = _wanted_alarms(request, live, topic or "")
    if topic is None:
        # Their actions name a topic that is gone: one finding says it, not one an alarm.
        standing = [replace(one, definition=None) for one in aws.alarms.find(names.alarm(""))]
    else:
        standing = list(aws.alarms.find(names.alarm("")))
    return drift.of_alarms(wanted, standing, topic=topic is not None, names=names)


def _wanted_alarms(request: Request, live: Release, topic: str) -> Sequence[Alarm]:
    stage = str(_applied(request, "deploy_stack").get("outputs", {}).get("StageName", "api"))
    return alarms_of(Names(request.environment.name), _config(live).alarms, stage=stage, topic_arn=topic)


def _config(live: Release) -> Config:
    return decode_lenient(Config, dict(live.config))


def _applied(request: Request, phase: str) -> Evidence:
    applied = request.environment.applied.get(phase)
    return applied.evidence if applied else {}
