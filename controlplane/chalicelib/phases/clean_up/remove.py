"""Deletes an environment's resources outside of its stack, service by service."""

from __future__ import annotations

from chalicelib.domain.names import Names
from chalicelib.domain.options import Options
from chalicelib.monitoring import apply
from chalicelib.ports import Aws


def watchers(names: Names, aws: Aws) -> None:
    """Delete alarms, saved queries, topic and test queues, and the dashboard if no other environment is left.

    Metric filters go with their log group.
    Call it before the stack is deleted, because that sets alarms off.
    """
    aws.alarms.delete([alarm.name for alarm in aws.alarms.find(names.alarm(""))])
    if aws.alarms.dashboard(names.dashboard) is not None and apply.is_last(names, aws):
        aws.alarms.delete_dashboards([names.dashboard])
    for query in aws.logs.queries(names.queries) if aws.logs.keeps_queries() else ():
        aws.logs.delete_query(query.id)
    topic = aws.topics.find(names.topic)
    if topic:
        aws.topics.delete(topic)
    for queue in aws.topics.probes(names.probes):
        aws.topics.delete_queue(queue)


def objects(names: Names, aws: Aws) -> None:
    """Delete artifacts and the load test's baselines from the control plane's bucket, and copies from the target's."""
    aws.artifacts.delete([*aws.artifacts.keys(names.artifacts_prefix), *aws.artifacts.keys(names.baselines_prefix)])
    if aws.settings.is_target:
        aws.packages.delete(aws.packages.keys(names.artifacts_prefix))


def log_groups(names: Names, aws: Aws) -> int:
    """Delete the function's log group and the access log's; returns how many existed."""
    prefixes = (names.log_group, names.access_log_group)
    existing = [group.name for prefix in prefixes for group in aws.logs.groups(prefix) if group.name == prefix]
    for group in existing:
        aws.logs.delete_group(group)
    return len(existing)


def secrets(names: Names, options: Options, aws: Aws) -> str:
    """Delete the environment's own secrets as `options` ask; returns what happened, for the summary.

    An adopted secret (`config.secret_arn`) belongs to someone else and stays.
    """
    existing = {name: info for name in names.secrets if (info := aws.secrets.find(name))}
    if not existing:
        return "there was none"
    if not options.remove_secret:
        return "kept, as options.remove_secret was not set"
    days = options.secret_recovery_days
    if days and all(info.doomed for info in existing.values()):
        return "its deletion was scheduled already"
    for name, info in existing.items():
        if not (info.doomed and days):
            aws.secrets.delete(name, days)
    return f"deleted, recoverable for {days} days" if days else "deleted at once"
