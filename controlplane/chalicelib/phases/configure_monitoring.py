"""Phase 5: alarms, their topic, dashboard, saved queries and metric filters; then each alarm is fired, and its
notification seen to arrive, and set back.

They are made here and not in the stack: a threshold changes in a second, and the stack stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..core import alarms as alarm_book
from ..core import dashboard, prices
from ..core.contract import Request, Result
from ..core.fingerprints import fingerprint as fingerprint_of
from ..core.naming import Names
from ..core.polling import next_poll_s
from ..core.urls import candidate_url
from ..errors import AwsCallFailed, BadRequest, PhaseFailed
from ..ports import Aws
from ..ports.alarms import Alarm
from ..ports.topics import Probe

_PATIENCE_S = 90
_RECEIVE_S = 1
_ROUNDS = 10  # receives a call: a queue hands out ten messages at a time, or fewer
_CORRELATE_S = 60


def fingerprint(request: Request, aws: Aws) -> str:
    """Everything that is made here, and whether the alarms are all there."""
    names = Names(request.environment.name)
    there = sorted(alarm.name for alarm in aws.alarms.find(names.alarm("")))
    wanted = _definitions(request, aws, "topic")
    return fingerprint_of(
        list(wanted),
        _dashboard(request, aws, []),
        [*dashboard.queries(names), *dashboard.filters(names)],
        list(request.config.notify),
        request.config.log_retention_days,
        request.results["deploy_stack"]["stack_id"],
        there,
    )


def run(request: Request, aws: Aws) -> Result:
    step = request.cursor.get("step", "make")
    if step == "make":
        return _make(request, aws)
    if step == "probe":
        return _listen(request, aws)
    return _correlate(request, aws)


def _definitions(request: Request, aws: Aws, topic_arn: str) -> Sequence[Alarm]:
    names = Names(request.environment.name)
    stage = str(request.results["deploy_stack"]["outputs"]["StageName"])
    return alarm_book.definitions(names, request.config.alarms, stage=stage, topic_arn=topic_arn)


def _dashboard(request: Request, aws: Aws, alarm_arns: Sequence[str]) -> str:
    targets = request.results["prepare_secret"].get("targets", {})
    return dashboard.body(
        Names(request.environment.name),
        region=aws.settings.region,
        stage=str(request.results["deploy_stack"]["outputs"]["StageName"]),
        alarm_arns=alarm_arns,
        prices=prices.of(targets),
    )


def _make(request: Request, aws: Aws) -> Result:
    """Everything in place; then a queue listens on the topic while every alarm is fired."""
    names = Names(request.environment.name)
    topic = aws.topics.ensure(names.topic, names.tags)
    pending = _subscribe(topic, request.config.notify, aws)
    wanted = _definitions(request, aws, topic)
    for alarm in wanted:
        aws.alarms.put(alarm, names.tags)
    found = aws.alarms.find(names.alarm(""))
    extra = sorted({alarm.name for alarm in found} - {alarm.name for alarm in wanted})
    if extra:
        aws.alarms.delete(extra)
    arns = [alarm.arn for alarm in found if alarm.name not in extra]
    aws.alarms.put_dashboard(names.dashboard, _dashboard(request, aws, arns))
    made = {
        "topic": topic,
        "alarms": [alarm.name for alarm in wanted],
        "removed_alarms": extra,
        "unconfirmed": pending,
        "dashboard": names.dashboard,
        "queries": _save_queries(names, aws),
        "filters": _save_filters(names, aws),
        "retention_days": _retention(request, aws),
    }
    probe = aws.topics.open_probe(topic, names.probe(request.deployment_id), names.tags)
    reason = _reason(request)
    for alarm in wanted:
        # Via OK: an alarm that is in ALARM already would not change, and so not tell.
        aws.alarms.set_state(alarm.name, "OK", reason)
        aws.alarms.set_state(alarm.name, "ALARM", reason)
    return Result.in_progress(
        f"{len(wanted)} alarms made and fired; waiting for their notifications",
        poll_after_s=1,
        cursor={
            "step": "probe",
            "made": made,
            "queue_url": probe.queue_url,
            "queue_arn": probe.queue_arn,
            "subscription_arn": probe.subscription_arn,
            "heard": [],
        },
        **made,
    )


def _reason(request: Request) -> str:
    return f"Drill by proxyctl deployment {request.deployment_id}: nothing is wrong, this tests the notification"


def _subscribe(topic: str, notify: Sequence[str], aws: Aws) -> list[str]:
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
    if "@" in whom:
        return "email"
    raise BadRequest(
        f"config.notify has {whom!r}, which is none of e-mail address, https URL, SQS or Lambda ARN",
        field="config.notify",
        remedy="Correct or remove the entry.",
    )


def _save_queries(names: Names, aws: Aws) -> list[str]:
    if not aws.logs.keeps_queries():
        return ["NOT RUN: this cloud's CloudWatch Logs has no saved queries"]
    known = {query.name: query for query in aws.logs.queries(names.queries)}
    wanted = dashboard.queries(names)
    for query in wanted:
        before = known.pop(query.name, None)
        if before is None or (before.text, tuple(before.groups)) != (query.text, tuple(query.groups)):
            aws.logs.put_query(query if before is None else _with_id(query, before.id))
    for left in known.values():
        aws.logs.delete_query(left.id)
    return [query.name for query in wanted]


def _with_id(query: Any, query_id: str) -> Any:
    return type(query)(query.name, query.groups, query.text, query_id)


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


def _listen(request: Request, aws: Aws) -> Result:
    cursor = request.cursor
    probe = Probe(str(cursor["queue_url"]), str(cursor["queue_arn"]), str(cursor["subscription_arn"]))
    made: Mapping[str, Any] = cursor["made"]
    heard = {*cursor["heard"]}
    for _ in range(_ROUNDS):
        messages = aws.topics.receive(probe, _RECEIVE_S)
        heard |= {str(one["AlarmName"]) for one in messages if _is_drill(one, request)}
        if not messages or heard >= {*made["alarms"]}:
            break
    missing = [name for name in made["alarms"] if name not in heard]
    since = float(cursor.get("since", request.elapsed_s))
    if missing and request.elapsed_s - since < _PATIENCE_S:
        asked = int(cursor.get("asked", 0))
        return Result.in_progress(
            f"{len(heard)} of {len(made['alarms'])} notifications have arrived",
            poll_after_s=next_poll_s(asked),
            cursor={**cursor, "heard": sorted(heard), "since": since, "asked": asked + 1},
            **made,
        )
    # Also when it failed: nobody's alarm is left ringing for a drill.
    for name in made["alarms"]:
        aws.alarms.set_state(name, "OK", _reason(request))
    aws.topics.close_probe(probe)
    if missing:
        raise PhaseFailed(
            f"fired, but no notification arrived within {_PATIENCE_S} s: {', '.join(missing)}",
            code="NotificationMissing",
            remedy=f"See whether CloudWatch may publish to the topic {made['topic']}, and whether it is encrypted.",
            evidence={"heard": sorted(heard), "missing": missing},
        )
    return Result.in_progress(
        f"All {len(heard)} notifications have arrived; following one request through the logs",
        poll_after_s=1,
        cursor={"step": "correlate", "made": {**made, "heard": sorted(heard)}},
        **made,
    )


def _is_drill(message: Mapping[str, object], request: Request) -> bool:
    told = str(message.get("NewStateReason", ""))
    return message.get("NewStateValue") == "ALARM" and request.deployment_id in told


def _correlate(request: Request, aws: Aws) -> Result:
    """One request, found by its ID in the reply, in the function's log and in API Gateway's access log."""
    names, stack = Names(request.environment.name), request.results["deploy_stack"]
    cursor = {**request.cursor}
    made: Mapping[str, Any] = cursor["made"]
    if "request_id" not in cursor:
        cursor |= {"request_id": _ask(stack, aws), "since": request.elapsed_s}
        cursor["since_ms"] = int(request.now.timestamp() * 1_000) - 60_000
    request_id, since_ms = str(cursor["request_id"]), int(cursor["since_ms"])
    lines = aws.logs.search(names.log_group, request_id, since_ms)
    gateway_id = _gateway_id(lines, request_id)
    keeps = aws.gateway.access_logs(str(stack["outputs"]["ApiId"]), str(stack["outputs"]["StageName"]))
    access = aws.logs.search(names.access_log_group, gateway_id, since_ms) if keeps and gateway_id else []
    late = request.elapsed_s - float(cursor["since"]) > _CORRELATE_S
    if (not lines or (keeps and not access)) and not late:
        asked = int(cursor.get("asked", 0))
        return Result.in_progress(
            f"Looking for request {request_id} in the logs",
            poll_after_s=next_poll_s(asked),
            cursor={**cursor, "asked": asked + 1},
            **made,
        )
    if not lines:
        raise PhaseFailed(
            f"request {request_id} is not in {names.log_group} after {_CORRELATE_S} s",
            code="CorrelationMissing",
            remedy="See whether the proxy's role may write to its log group.",
        )
    in_access_log = "found" if access else _why_not(keeps=keeps)
    proof = {"request_id": request_id, "gateway_request_id": gateway_id, "reply": "found", "function_log": "found"}
    count = len(made["alarms"])
    return Result.done(
        f"{count} alarms, each fired and heard, and set back; dashboard {names.dashboard}; request {request_id} followed",
        **made,
        correlation={**proof, "access_log": in_access_log},
    )


def _why_not(*, keeps: bool) -> str:
    if keeps:
        return f"NOT RUN: the access log had no line within {_CORRELATE_S} s"
    return "NOT RUN: the stage writes no access log (the account has no CloudWatch role for API Gateway, or an emulator)"


def _ask(stack: Mapping[str, Any], aws: Aws) -> str:
    url = candidate_url(stack["outputs"], aws.settings.endpoint_url, "/health")
    try:
        reply = aws.endpoint.call("GET", url, signed=True, timeout_s=28.0)
    except AwsCallFailed as error:
        raise PhaseFailed(
            f"the API gave no answer: {error.message}", code="NoAnswer", remedy="See the function's log."
        ) from error
    request_id = reply.headers.get("x-request-id", "")
    if not request_id:
        raise PhaseFailed(
            f"the answer ({reply.status}) of /health has no x-request-id",
            code="CorrelationMissing",
            remedy="See proxy/telemetry.py and the gateway responses of proxy/template.yaml.",
        )
    return request_id


def _gateway_id(lines: Sequence[str], request_id: str) -> str:
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and told.get("request_id") == request_id:
            return str(told.get("gateway_request_id", ""))
    return ""
