"""Creates and updates an environment's monitoring: topic, alarms, dashboard, saved queries, filters, retention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import AlarmThresholds, Config
from chalicelib.domain.evidence.monitoring import MonitoringEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.names import OWNER, Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from . import alarms, dashboard, fire, prices


def apply(request: Request, aws: Aws) -> MonitoringEvidence:
    """Create what is missing, update what users do not feel, and delete alarms that are no longer defined.

    Existing alarms keep the thresholds of the live release, log groups its retention, and the topic its recipients
    beside the new ones, until `set_alarms`, the stack's own change and `set_recipients` release the new ones.

    Raises BadRequest for a recipient in `config.notify` that is of no supported kind, PhaseFailed (EvidenceMissing)
    before deploy_stack and prepare_secret have ended.
    """
    names = request.names
    topic = aws.topics.ensure(names.topic, aws.settings.tags_beside(names.tags), aws.settings.kms_key_arn)
    users = released(request)
    unconfirmed = add_recipients(topic, request.config.notify, aws)
    # Whom only the live release names gets its alarms until this one is released.
    remove_recipients(topic, (*request.config.notify, *users.notify), aws)
    wanted = definitions(request, topic, users.alarms)
    for alarm in wanted:
        aws.alarms.put(alarm, aws.settings.tags_beside(names.tags))
    existing = aws.alarms.find(names.alarm(""))
    for alarm_state in existing if aws.settings.tags else ():
        aws.alarms.tag(alarm_state.arn, aws.settings.tags)
    obsolete = sorted({alarm.name for alarm in existing} - {alarm.name for alarm in wanted})
    if obsolete:
        aws.alarms.delete(obsolete)
    arns = [dashboard.chosen(names, alarm.arn) for alarm in existing if alarm.name not in obsolete]
    others = dashboard.prices_of(aws.alarms.dashboard(names.dashboard))
    aws.alarms.put_dashboard(names.dashboard, dashboard_body(request, aws, arns, others))
    return MonitoringEvidence(
        topic=topic,
        alarms=tuple(alarm.name for alarm in wanted),
        removed_alarms=tuple(obsolete),
        unconfirmed=tuple(unconfirmed),
        dashboard=names.dashboard,
        queries=_save_queries(names, aws),
        filters=_save_filters(names, aws),
        retention_days=_set_retention(request, aws),
    )


def released(request: Request) -> Config:
    """The configuration of the release that users have; that of this deployment when they have none."""
    good = request.environment.last_good
    return decode_lenient(Config, dict(good.config)) if good and good.config else request.config


def definitions(request: Request, topic_arn: str, thresholds: AlarmThresholds) -> Sequence[Alarm]:
    """The alarms with these thresholds. Raises PhaseFailed (EvidenceMissing) without deploy_stack's evidence."""
    stage = request.results.of(StackEvidence).outputs["StageName"]
    return alarms.definitions(request.names, thresholds, stage=stage, topic_arn=topic_arn)


def set_alarms(config: Config, stage: str, names: Names, aws: Aws) -> tuple[str, ...]:
    """Define the alarms as `config` has them; answers the names of those that changed. stage: API Gateway's name of the
    users' stage. Without a topic (someone deleted it; a revalidation names that) nothing is changed."""
    changed = changed_alarms(config, stage, names, aws)
    for alarm in changed:
        aws.alarms.put(alarm, aws.settings.tags_beside(names.tags))
    return tuple(alarm.name for alarm in changed)


def changed_alarms(config: Config, stage: str, names: Names, aws: Aws) -> Sequence[Alarm]:
    """The alarms that are not as `config` has them; none without a topic. stage: as for `set_alarms`."""
    topic = aws.topics.find(names.topic)
    if topic is None:
        return ()
    wanted = alarms.definitions(names, config.alarms, stage=stage, topic_arn=topic)
    return alarms.changed(wanted, aws.alarms.find(names.alarm("")))


def dashboard_body(
    request: Request, aws: Aws, alarm_arns: Sequence[str], others: Mapping[str, tuple[float, float]]
) -> str:
    """The dashboard as JSON. others: prices by model that other environments have written.

    Raises PhaseFailed (EvidenceMissing) without deploy_stack's or prepare_secret's.
    """
    return dashboard.body(
        region=aws.settings.region,
        stage=request.results.of(StackEvidence).outputs["StageName"],
        alarm_arns=alarm_arns,
        prices={**others, **prices.of(request.results.of(SecretEvidence).targets)},
    )


def is_last(names: Names, aws: Aws) -> bool:
    """Whether no other environment has alarms, so that the dashboard of all serves this one only."""
    return all(alarm.name.startswith(names.alarm("")) for alarm in aws.alarms.find(f"{OWNER}/"))


def subscribe(topic: str, notify: Sequence[str], aws: Aws) -> list[str]:
    """Make the recipients the topic's (ARN) only ones; returns those that have not confirmed yet. SNS has written to
    them. Who is no recipient any more is unsubscribed; the queues that test the alarms stay.

    None of them receives the notifications of alarm tests.
    notify: e-mail addresses, https URLs, and ARNs of queues or functions, as `Config` accepts them.
    """
    unconfirmed = add_recipients(topic, notify, aws)
    remove_recipients(topic, notify, aws)
    return unconfirmed


def add_recipients(topic: str, notify: Sequence[str], aws: Aws) -> list[str]:
    """The first half of `subscribe`: nobody is unsubscribed."""
    subscribed = aws.topics.subscribers(topic)
    for recipient in notify:
        if recipient not in subscribed:
            aws.topics.subscribe(topic, _protocol(recipient), recipient, fire.WITHOUT_TESTS)
        elif subscribed[recipient].startswith("arn:"):  # an older version subscribed without the filter
            aws.topics.set_filter(subscribed[recipient], fire.WITHOUT_TESTS)
    subscribed = aws.topics.subscribers(topic)
    return [recipient for recipient in notify if not subscribed.get(recipient, "").startswith("arn:")]


def remove_recipients(topic: str, notify: Sequence[str], aws: Aws) -> list[str]:
    """Unsubscribe who is not in `notify`; answers them."""
    subscribed = aws.topics.subscribers(topic)
    extra = extra_recipients(subscribed, notify)
    for other in extra:
        aws.topics.unsubscribe(subscribed[other])
    return extra


def set_recipients(config: Config, names: Names, aws: Aws) -> list[str]:
    """Give the topic the recipients of a release; a line for each that comes or goes. Nothing without a topic."""
    topic = aws.topics.find(names.topic)
    if topic is None:
        return []
    subscribed = aws.topics.subscribers(topic)
    missing, extra = _differing(config, subscribed)
    for recipient in missing:
        aws.topics.subscribe(topic, _protocol(recipient), recipient, fire.WITHOUT_TESTS)
    for other in extra:
        aws.topics.unsubscribe(subscribed[other])
    return [f"{who} gets alarms again" for who in missing] + [f"{who} gets no alarms any more" for who in extra]


def changed_recipients(config: Config, names: Names, aws: Aws) -> tuple[list[str], list[str]]:
    """Recipients of `config` that are not subscribed, and subscribers that it does not name; none without a topic."""
    topic = aws.topics.find(names.topic)
    if topic is None:
        return [], []
    return _differing(config, aws.topics.subscribers(topic))


def _differing(config: Config, subscribed: Mapping[str, str]) -> tuple[list[str], list[str]]:
    missing = [recipient for recipient in dict.fromkeys(config.notify) if recipient not in subscribed]
    return missing, extra_recipients(subscribed, config.notify)


def extra_recipients(subscribed: Mapping[str, str], notify: Sequence[str]) -> list[str]:
    """Confirmed subscribers that are neither in `notify` nor a queue that tests the alarms, sorted.

    subscribed: ARN of the subscription by recipient; of one that has not confirmed, a text that is no ARN, and SNS
    forgets those by itself.
    """
    return sorted(
        recipient
        for recipient, subscription in subscribed.items()
        if recipient not in notify and subscription.startswith("arn:") and f":{OWNER}_" not in recipient
    )


def _protocol(recipient: str) -> str:
    if recipient.startswith("https://"):
        return "https"
    if ":sqs:" in recipient or ":lambda:" in recipient:
        return recipient.split(":")[2]
    return "email"  # Config has refused everything else


def _save_queries(names: Names, aws: Aws) -> tuple[str, ...]:
    if not aws.logs.keeps_queries():
        return ("NOT RUN: this cloud's CloudWatch Logs has no saved queries",)
    existing = {query.name: query for query in aws.logs.queries(names.queries)}
    wanted = dashboard.queries(names)
    for query in wanted:
        before = existing.pop(query.name, None)
        if before is None or (before.text, tuple(before.groups)) != (query.text, tuple(query.groups)):
            aws.logs.put_query(query if before is None else replace(query, id=before.id))
    for obsolete in existing.values():
        aws.logs.delete_query(obsolete.id)
    return tuple(query.name for query in wanted)


def _save_filters(names: Names, aws: Aws) -> tuple[str, ...]:
    existing = {metric_filter.name: metric_filter for metric_filter in aws.logs.filters(names.log_group)}
    wanted = dashboard.filters(names)
    for metric_filter in wanted:
        if existing.pop(metric_filter.name, None) != metric_filter:
            aws.logs.put_filter(metric_filter)
    for obsolete in existing.values():
        if obsolete.name.startswith(names.alarm("")):
            aws.logs.delete_filter(names.log_group, obsolete.name)
    return tuple(metric_filter.name for metric_filter in wanted)


def _set_retention(request: Request, aws: Aws) -> dict[str, int]:
    """The template sets it once; this corrects a group that was changed by hand, or that Lambda created again."""
    names, days = request.names, released(request).log_retention_days
    for prefix in (names.log_group, names.access_log_group):
        for group in aws.logs.groups(prefix):
            if group.name == prefix and group.retention_days != days:
                aws.logs.set_retention(group.name, days)
    return {names.log_group: days, names.access_log_group: days}
