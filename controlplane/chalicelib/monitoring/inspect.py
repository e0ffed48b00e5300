"""Reads an environment's monitoring and names what is not as it is defined: deleted, changed or added by hand."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.config import Config
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import alarms, apply, dashboard


def differences(request: Request, aws: Aws) -> tuple[str, ...]:
    """A line for each topic, alarm, dashboard, metric filter, saved query, recipient and retention that differs; none
    when all is as defined.

    Thresholds, retention and recipients may be those of the live release or of this deployment, whichever users have by
    now.
    Raises PhaseFailed (EvidenceMissing) without deploy_stack's or prepare_secret's evidence.
    """
    topic = aws.topics.find(request.names.topic)
    return (
        *_topic(topic, request, aws),
        *_alarms(topic, request, aws),
        *_dashboard(request, aws),
        *_filters(request, aws),
        *_queries(request, aws),
        *_retention(request, aws),
    )


def _configs(request: Request) -> tuple[Config, Config]:
    return apply.released(request), request.config


def _topic(topic: str | None, request: Request, aws: Aws) -> Iterator[str]:
    if topic is None:
        yield f"topic {request.names.topic} was deleted"
        return
    subscribed = aws.topics.subscribers(topic)
    yield from (f"recipient {who} was unsubscribed" for who in request.config.notify if who not in subscribed)
    named = [who for config in _configs(request) for who in config.notify]
    yield from (f"recipient {who} was added" for who in apply.extra_recipients(subscribed, named))


def _alarms(topic: str | None, request: Request, aws: Aws) -> Iterator[str]:
    existing = aws.alarms.find(request.names.alarm(""))
    wanted = [apply.definitions(request, topic or "", config.alarms) for config in _configs(request)]
    changed = [{alarm.name for alarm in alarms.changed(some, existing)} for some in wanted]
    names = {state.name for state in existing}
    defined = {alarm.name for alarm in wanted[0]}
    yield from (f"alarm {name} was deleted" for name in sorted(defined - names))
    if topic is not None:  # the alarms' actions name a deleted topic
        yield from (f"alarm {name} was changed" for name in sorted(set.intersection(*changed) & names))
    silent = sorted(state.name for state in existing if not state.actions_enabled)
    yield from (f"alarm {name} was silenced" for name in silent)
    yield from (f"alarm {name} was added" for name in sorted(names - defined))


def _dashboard(request: Request, aws: Aws) -> Iterator[str]:
    name = request.names.dashboard
    existing = aws.alarms.dashboard(name)
    if existing is None:
        yield f"dashboard {name} was deleted"
        return
    prices = dashboard.prices_of(existing)
    if dashboard.differs(existing, apply.dashboard_body(request, aws, [], prices)):
        yield f"dashboard {name} was changed"


def _filters(request: Request, aws: Aws) -> Iterator[str]:
    existing = {item.name: item for item in aws.logs.filters(request.names.log_group)}
    for wanted in dashboard.filters(request.names):
        if existing.get(wanted.name) != wanted:
            yield f"metric filter {wanted.name} was {'changed' if wanted.name in existing else 'deleted'}"


def _queries(request: Request, aws: Aws) -> Iterator[str]:
    if not aws.logs.keeps_queries():
        return
    existing = {query.name: (query.text, tuple(query.groups)) for query in aws.logs.queries(request.names.queries)}
    for wanted in dashboard.queries(request.names):
        if existing.get(wanted.name) != (wanted.text, tuple(wanted.groups)):
            yield f"saved query {wanted.name} was {'changed' if wanted.name in existing else 'deleted'}"


def _retention(request: Request, aws: Aws) -> Iterator[str]:
    days = {config.log_retention_days for config in _configs(request)}
    for name in (request.names.log_group, request.names.access_log_group):
        for group in aws.logs.groups(name):
            if group.name == name and group.retention_days not in days:
                yield f"retention of log group {name} was changed to {group.retention_days or 'for ever'}"
