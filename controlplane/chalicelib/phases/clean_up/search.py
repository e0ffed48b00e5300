"""What there is of an environment: asked of each service by name, and of all of them by tag."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.errors import NotFound
from chalicelib.domain.names import ENVIRONMENT_TAG, Names
from chalicelib.ports import Aws

from .inventory import Thing, merged, of_arn


def by_name(names: Names, aws: Aws) -> list[Thing]:
    """Everything that carries one of the environment's names, whoever made it."""
    return [*_compute(names, aws), *_watching(names, aws), *_stored(names, aws)]


def by_tag(names: Names, aws: Aws) -> list[Thing]:
    """Everything of this region that carries the environment's tag."""
    return [of_arn(arn) for arn in sorted(aws.tagging.find({ENVIRONMENT_TAG: names.environment}))]


def everything(names: Names, aws: Aws) -> list[Thing]:
    """Both, each thing once."""
    return merged(by_name(names, aws), by_tag(names, aws))


def _compute(names: Names, aws: Aws) -> Iterator[Thing]:
    if aws.stacks.find(names.stack):
        yield Thing("stack", names.stack)
    try:
        aws.functions.config(names.function)
        yield Thing("function", names.function)
    except NotFound:
        pass  # that is the good answer here
    for api_id in aws.gateway.apis(names.api):
        yield Thing("api", api_id)
    role = names.role(aws.settings.region)
    if aws.identity.role_arn(role):
        yield Thing("role", role)


def _watching(names: Names, aws: Aws) -> Iterator[Thing]:
    for prefix in (names.log_group, names.access_log_group):
        for group in aws.logs.groups(prefix):
            if group.name == prefix:
                yield Thing("log group", group.name)
    for alarm in aws.alarms.find(names.alarm("")):
        yield Thing("alarm", alarm.name)
    for dashboard in aws.alarms.dashboards(names.dashboard):
        if dashboard == names.dashboard:
            yield Thing("dashboard", dashboard)
    topic = aws.topics.find(names.topic)
    if topic:
        yield Thing("topic", topic)
    for queue in aws.topics.probes(names.probes):
        yield Thing("queue", queue)
    for query in aws.logs.queries(names.queries) if aws.logs.keeps_queries() else ():
        yield Thing("query", query.id)


def _stored(names: Names, aws: Aws) -> Iterator[Thing]:
    for key in (*aws.artifacts.keys(names.artifacts_prefix), *aws.artifacts.keys(names.baselines_prefix)):
        yield Thing("object", f"{aws.settings.bucket}/{key}")
    for secret in names.secrets:
        if aws.secrets.find(secret):
            yield Thing("secret", secret)
