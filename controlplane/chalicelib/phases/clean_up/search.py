"""Searches for all resources of an environment: by name in each service, and by tag in all services."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.errors import NotFound
from chalicelib.domain.names import ENVIRONMENT_TAG, Names
from chalicelib.monitoring import apply
from chalicelib.ports import Aws

from . import gone
from .inventory import Resource, merged, of_arn


def by_name(names: Names, aws: Aws) -> list[Resource]:
    """Every resource with one of the environment's names, whoever created it."""
    return [*_compute(names, aws), *_watching(names, aws), *_stored(names, aws)]


def by_tag(names: Names, aws: Aws) -> list[Resource]:
    """Every resource of this region with the environment's tag, sorted by ARN."""
    return [of_arn(arn) for arn in sorted(aws.tagging.find({ENVIRONMENT_TAG: names.environment}))]


def everything(names: Names, aws: Aws) -> tuple[list[Resource], list[Resource]]:
    """Every resource with one of the names or with the tag, each once, and those that only the tag still lists."""
    listed = merged(by_name(names, aws), by_tag(names, aws))
    domains = {item.name.rpartition("/")[2] for item in listed if item.kind == "domain"}
    existing = {*aws.gateway.ids(), *(domain for domain in domains if aws.gateway.domain(domain))}
    return gone.split(listed, names, aws.settings.region, existing)


def _compute(names: Names, aws: Aws) -> Iterator[Resource]:
    if aws.stacks.find(names.stack):
        yield Resource("stack", names.stack)
    try:
        aws.functions.config(names.function)
        yield Resource("function", names.function)
    except NotFound:
        pass  # there is no function
    for api_id in aws.gateway.apis(names.api):
        yield Resource("api", api_id)
    for role in names.roles(aws.settings.region):
        if aws.identity.role_arn(role):
            yield Resource("role", role)


def _watching(names: Names, aws: Aws) -> Iterator[Resource]:
    for prefix in (names.log_group, names.access_log_group):
        for group in aws.logs.groups(prefix):
            if group.name == prefix:
                yield Resource("log group", group.name)
    for alarm in aws.alarms.find(names.alarm("")):
        yield Resource("alarm", alarm.name)
    if aws.alarms.dashboard(names.dashboard) is not None and apply.is_last(names, aws):
        yield Resource("dashboard", names.dashboard)
    topic = aws.topics.find(names.topic)
    if topic:
        yield Resource("topic", topic)
    for queue in aws.topics.probes(names.probes):
        yield Resource("queue", queue)
    for query in aws.logs.queries(names.queries) if aws.logs.keeps_queries() else ():
        yield Resource("query", query.id)


def objects(names: Names, aws: Aws) -> Iterator[tuple[str, str]]:
    """Bucket and key of the environment's packages, and of the figures of its load tests."""
    home = aws.at(None, "clean_up")
    for prefix in (names.artifacts_prefix, names.baselines_prefix):
        yield from ((home.settings.bucket, key) for key in home.artifacts.keys(prefix))
    if aws.settings.is_target:
        yield from ((aws.settings.bucket, key) for key in aws.packages.keys(names.artifacts_prefix))


def _stored(names: Names, aws: Aws) -> Iterator[Resource]:
    for bucket, key in objects(names, aws):
        yield Resource("object", f"{bucket}/{key}")
    for secret in names.secrets:
        if aws.secrets.find(secret):
            yield Resource("secret", secret)
