"""Reads the function, the secret and the alarms of an environment, and compares them with the record."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import secret_schema
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.errors import BadRequest, NotFound
from chalicelib.domain.evidence.drift import DriftFinding
from chalicelib.domain.model import Release
from chalicelib.engine.phase import Request
from chalicelib.monitoring import dashboard
from chalicelib.monitoring.apply import extra_recipients
from chalicelib.ports import Aws
from chalicelib.stack import state
from chalicelib.stack.recovery import repair

from . import address_drift, alarm_drift, function_drift, record, secret_drift, stack_drift


def look(request: Request, live: Release, aws: Aws) -> list[DriftFinding]:
    """The findings about alias, settings, secret and alarms; those about the stack take longer (see `run`)."""
    return [*_function(request, live, aws), *_stack(request, aws), *_secret(request, aws), *_alarms(request, live, aws)]


def _stack(request: Request, aws: Aws) -> list[DriftFinding]:
    """CloudFormation's own detection does not see inline policies everywhere (docs/fidelity.md), and no permissions of
    aliases."""
    stack = aws.stacks.find(request.names.stack)
    if stack is None or not state.is_settled(stack.status):
        return []  # `run` names the stack
    losses = repair.find_losses(stack, request, aws)
    lost = [stack_drift.lost(loss) for loss in losses if loss.kind not in ("alias", "function")]
    return [*lost, *address_drift.findings(stack.parameters, stack.outputs, _address(stack, aws))]


def _address(stack: Stack, aws: Aws) -> address_drift.Address:
    """Nothing is asked about an address that the environment does not have."""
    name, zone = (stack.parameters.get(key, "") for key in ("DomainName", "HostedZoneId"))
    domain = aws.gateway.domain(name) if name else None
    records = aws.zones.records(zone, name) if name and zone else None
    return address_drift.Address(domain, records, _web_acl(stack, aws))


def _web_acl(stack: Stack, aws: Aws) -> str:
    if not stack.parameters.get("WebAclArn"):
        return ""  # one that somebody put there filters for users, and is not ours to judge
    api, stage = stack.outputs["ApiId"], stack.outputs["StageName"]
    place = f"arn:{aws.settings.partition}:apigateway:{aws.settings.region}"
    return aws.firewall.web_acl_of(f"{place}::/restapis/{api}/stages/{stage}")


def _function(request: Request, live: Release, aws: Aws) -> list[DriftFinding]:
    function = request.names.function
    try:
        aliases = aws.functions.aliases(function)
    except NotFound:
        return [function_drift.function_gone(function)]
    findings = function_drift.alias_findings(function, aliases, live.version)
    try:
        version = aws.functions.config(function, live.version)
    except NotFound:
        return [*findings, function_drift.version_gone(function, live.version)]
    latest = aws.functions.config(function)
    recorded = record.settings(request.environment, live, version, aws.settings)
    return [*findings, *function_drift.settings_findings(function, version.settings, latest.settings, recorded)]


def _secret(request: Request, aws: Aws) -> list[DriftFinding]:
    applied = record.secret(request.environment)
    info = aws.secrets.find(applied.arn) if applied.arn else None
    if info is None:
        return [secret_drift.missing(applied.arn or "the secret", "gone")]
    if info.doomed:
        return [secret_drift.doomed(applied.arn)]
    if "AWSCURRENT" not in info.stages:
        return [secret_drift.missing(applied.arn, "without a value")]
    problem = _schema_problem(info.arn, aws)
    return secret_drift.findings(info.name, info.stages["AWSCURRENT"], applied.version_id, problem)


def _schema_problem(arn: str, aws: Aws) -> str:
    """The schema's message about the current value, "" when it is valid. It names fields only: the value holds keys."""
    try:
        secret_schema.check(secret_schema.parsed(aws.secrets.read(arn).text))
    except BadRequest as error:
        return error.message
    return ""


def _alarms(request: Request, live: Release, aws: Aws) -> list[DriftFinding]:
    names = request.names
    topic = aws.topics.find(names.topic)
    existing = list(aws.alarms.find(names.alarm("")))
    recorded = record.alarms(request.environment, live, topic or "")
    shown = _dashboard_and_filters(request, aws)
    if topic is not None:
        return [*shown, *alarm_drift.findings(recorded, existing), *_recipients(live, topic, names.topic, aws)]
    # The alarms' actions name a deleted topic: one finding for the topic instead of one for each alarm.
    states = [replace(state, definition=None) for state in existing]
    return [*shown, alarm_drift.topic_gone(names.topic), *alarm_drift.findings(recorded, states)]


def _dashboard_and_filters(request: Request, aws: Aws) -> list[DriftFinding]:
    names = request.names
    existing = {item.name for item in aws.logs.filters(names.log_group)}
    filters = [wanted.name for wanted in dashboard.filters(names) if wanted.name not in existing]
    missing = [f"metric filter {name}" for name in filters]
    if aws.alarms.dashboard(names.dashboard) is None:
        missing.append(f"dashboard {names.dashboard}")
    return [alarm_drift.shown_nowhere(what) for what in missing]


def _recipients(live: Release, topic: str, name: str, aws: Aws) -> list[DriftFinding]:
    if not live.config:
        return []  # a release without its configuration on record names no recipients
    notify, subscribed = record.config(live).notify, aws.topics.subscribers(topic)
    missing = [who for who in notify if who not in subscribed]
    return alarm_drift.recipients(name, extra_recipients(subscribed, notify), missing)
