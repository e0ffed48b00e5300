"""Alarms and what belongs to them: topic, dashboard, saved queries, metric filters, retention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import alarms, dashboard, prices


def everything(request: Request, aws: Aws) -> dict[str, Any]:
    """Makes what is not there yet, and answers with what there is."""
    names = Names(request.environment.name)
    topic = aws.topics.ensure(names.topic, names.tags)
    pending = subscribe(topic, request.config.notify, aws)
    wanted = definitions(request, topic)
    for alarm in wanted:
        aws.alarms.put(alarm, names.tags)
    found = aws.alarms.find(names.alarm(""))
    extra = sorted({alarm.name for alarm in found} - {alarm.name for alarm in wanted})
    if extra:
        aws.alarms.delete(extra)
    arns = [alarm.arn for alarm in found if alarm.name not in extra]
    aws.alarms.put_dashboard(names.dashboard, dashboard_body(request, aws, arns))
    return {
        "topic": topic,
        "alarms": [alarm.name for alarm in wanted],
        "removed_alarms": extra,
        "unconfirmed": pending,
        "dashboard": names.dashboard,
        "queries": _save_queries(names, aws),
        "filters": _save_filters(names, aws),
        "retention_days": _retention(request, aws),
    }


def definitions(request: Request, topic_arn: str) -> Sequence[Alarm]:
    names = Names(request.environment.name)
    stage = str(request.results["deploy_stack"]["outputs"]["StageName"])
    return alarms.definitions(names, request.config.alarms, stage=stage, topic_arn=topic_arn)


def dashboard_body(request: Request, aws: Aws, alarm_arns: Sequence[str]) -> str:
    targets = request.results["prepare_secret"].get("targets", {})
    return dashboard.body(
        Names(request.environment.name),
        region=aws.settings.region,
        stage=str(request.results["deploy_stack"]["outputs"]["StageName"]),
        alarm_arns=alarm_arns,
        prices=prices.of(targets),
    )


def subscribe(topic: str, notify: Sequence[str], aws: Aws) -> list[str]:
    """Those of `notify` who have not confirmed yet; SNS has sent them a letter."""
    known = aws.topics.subscribers(topic)
    for whom in notify:
        if whom not in known:
            aws.topics.subscribe(topic, _protocol(whom), whom)
    known = aws.topics.subscribers(topic)
    return [whom for whom in notify if not known.get(whom, "").startswith("arn:")]


def _protocol(whom: str) -> str:
    if whom.startswith("https://"):
        return "https"
    if ":sqs:" in whom or ":lambda:" in whom:
        return whom.split(":")[2]
    return "email"  # Config has refused everything else


def _save_queries(names: Names, aws: Aws) -> list[str]:
    if not aws.logs.keeps_queries():
        return ["NOT RUN: this cloud's CloudWatch Logs has no saved queries"]
    known = {query.name: query for query in aws.logs.queries(names.queries)}
    wanted = dashboard.queries(names)
    for query in wanted:
        before = known.pop(query.name, None)
        if before is None or (before.text, tuple(before.groups)) != (query.text, tuple(query.groups)):
            aws.logs.put_query(query if before is None else replace(query, id=before.id))
    for left in known.values():
        aws.logs.delete_query(left.id)
    return [query.name for query in wanted]


def _save_filters(names: Names, aws: Aws) -> list[str]:
    known = {one.name: one for one in aws.logs.filters(names.log_group)}
    wanted = dashboard.filters(names)
    for one in wanted:
        if known.pop(one.name, None) != one:
            aws.logs.put_filter(one)
    for left in known.values():
        if left.name.startswith(names.alarm("")):
            aws.logs.delete_filter(names.log_group, left.name)
    return [one.name for one in wanted]


def _retention(request: Request, aws: Aws) -> dict[str, int]:
    """The template sets it; a group that was changed by hand, or made by a late line, is put right."""
    names, days = Names(request.environment.name), request.config.log_retention_days
    for prefix in (names.log_group, names.access_log_group):
        for group in aws.logs.groups(prefix):
            if group.name == prefix and group.retention_days != days:
                aws.logs.set_retention(group.name, days)
    return {names.log_group: days, names.access_log_group: days}
