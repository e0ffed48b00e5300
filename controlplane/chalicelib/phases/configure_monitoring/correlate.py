"""Sends one request to the candidate and finds it by its id in the reply, the function's log and the access log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.aws.http import PROXY_HEADER, Reply
from chalicelib.domain.errors import AwsCallFailed, PhaseFailed
from chalicelib.domain.evidence.monitoring import Correlation, MonitoringEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws
from chalicelib.stack.urls import candidate_url

from .cursor import MonitoringCursor

_TIMEOUT_S = 60
_CLOCK_SKEW_MS = 60_000  # log lines may carry a time of before the request was sent, by another clock


@dataclass(frozen=True, slots=True)
class _Lines:
    """Log lines of one request. has_access_log: whether the stage writes an access log at all."""

    function: Sequence[str]
    gateway_id: str
    access: Sequence[str]
    has_access_log: bool

    @property
    def complete(self) -> bool:
        """Whether every log that exists has the request."""
        return bool(self.function) and (bool(self.access) or not self.has_access_log)


def correlate(cursor: MonitoringCursor, request: Request, aws: Aws) -> Result[MonitoringEvidence]:
    """Send the request until the proxy itself answers, then look for its lines; IN_PROGRESS until they are there.

    After 60 s a missing line in the access log is noted as NOT RUN. Raises PhaseFailed: NoAnswer when the proxy has not
    answered after 60 s, CorrelationMissing when its reply has no request id or the function's log has no line.
    """
    if not cursor.request_id:
        reply = _send(request, aws)
        if isinstance(reply, str):
            return _ask_again(reply, cursor, request)
        cursor = _sent(reply, cursor, request)
    lines = _search(cursor, request, aws)
    late = request.elapsed_s - (cursor.since_s or 0.0) > _TIMEOUT_S
    if not lines.complete and not late:
        summary = f"Looking for request {cursor.request_id} in the logs"
        return request.wait(summary, step="logs", cursor=cursor, evidence=cursor.configured)
    if not lines.function:
        raise PhaseFailed(
            f"request {cursor.request_id} is not in {request.names.log_group} after {_TIMEOUT_S} s",
            code="CorrelationMissing",
            remedy="Check whether the proxy's role may write to its log group.",
        )
    access_log = "found" if lines.access else _not_run(lines.has_access_log)
    return _done(cursor.configured, Correlation(cursor.request_id, lines.gateway_id, "found", "found", access_log))


def _search(cursor: MonitoringCursor, request: Request, aws: Aws) -> _Lines:
    names, outputs = request.names, request.results.of(StackEvidence).outputs
    function = aws.logs.search(names.log_group, cursor.request_id, cursor.search_from_ms)
    gateway_id = _gateway_id(function, cursor.request_id)
    has_access_log = aws.gateway.access_logs(outputs["ApiId"], outputs["StageName"])
    access: Sequence[str] = ()
    if has_access_log and gateway_id:
        access = aws.logs.search(names.access_log_group, gateway_id, cursor.search_from_ms)
    return _Lines(function, gateway_id, access, has_access_log)


def _done(configured: MonitoringEvidence, correlation: Correlation) -> Result[MonitoringEvidence]:
    summary = (
        f"{len(configured.alarms)} alarms work: each fired, and its notification arrived. Dashboard "
        f"{configured.dashboard} is up to date. Request {correlation.request_id} is in the logs"
    )
    return Result.done(summary, replace(configured, correlation=correlation))


def _not_run(has_access_log: bool) -> str:
    if has_access_log:
        return f"NOT RUN: the access log had no line within {_TIMEOUT_S} s"
    return "NOT RUN: the stage writes no access log (no CloudWatch role for API Gateway, or an emulator)"


def _send(request: Request, aws: Aws) -> Reply | str:
    """The proxy's reply to a request that is sent now, or why there is none."""
    url = candidate_url(request.results.of(StackEvidence), "/health")
    try:
        reply = aws.endpoint.call("GET", url, signed=True, timeout_s=28.0)
    except AwsCallFailed as error:
        return f"the API did not answer: {error.message}"
    if PROXY_HEADER in reply.headers:
        return reply
    return f"API Gateway answered {reply.status} itself: the answer has no {PROXY_HEADER}"


def _ask_again(why: str, cursor: MonitoringCursor, request: Request) -> Result[MonitoringEvidence]:
    """Wait: a new API, stage or permission may take seconds to act."""
    since_s = request.elapsed_s if cursor.since_s is None else cursor.since_s
    if request.elapsed_s - since_s > _TIMEOUT_S:
        raise PhaseFailed(
            f"the proxy has not answered for {_TIMEOUT_S} s; {why}", code="NoAnswer", remedy="See the function's log."
        )
    cursor = replace(cursor, since_s=since_s)
    return request.wait(f"Asking again: {why}", step="logs", cursor=cursor, evidence=cursor.configured)


def _sent(reply: Reply, cursor: MonitoringCursor, request: Request) -> MonitoringCursor:
    """The cursor with the id of the request that the proxy answered."""
    request_id = reply.headers.get("x-request-id", "")
    if not request_id:
        raise PhaseFailed(
            f"the reply of /health (status {reply.status}) has no x-request-id",
            code="CorrelationMissing",
            remedy="See proxy/telemetry.py and the gateway responses of proxy/template.yaml.",
        )
    search_from_ms = int(request.now.timestamp() * 1_000) - _CLOCK_SKEW_MS
    return replace(cursor, request_id=request_id, since_s=request.elapsed_s, search_from_ms=search_from_ms)


def _gateway_id(lines: Sequence[str], request_id: str) -> str:
    """API Gateway's id of the request, from the proxy's JSON log line; "" when no line names it."""
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("request_id") == request_id:
            return str(entry.get("gateway_request_id", ""))
    return ""
