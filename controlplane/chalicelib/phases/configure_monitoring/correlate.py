"""One request, followed by its ID through the reply, the function's log and API Gateway's access log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.errors import AwsCallFailed, PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws
from chalicelib.stack.urls import candidate_url

_PATIENCE_S = 60


def correlate(request: Request, aws: Aws) -> Result:
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
    late = request.elapsed_s - float(cursor["since"]) > _PATIENCE_S
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
            f"request {request_id} is not in {names.log_group} after {_PATIENCE_S} s",
            code="CorrelationMissing",
            remedy="See whether the proxy's role may write to its log group.",
        )
    in_access_log = "found" if access else _why_not(keeps=keeps)
    proof = {"request_id": request_id, "gateway_request_id": gateway_id, "reply": "found", "function_log": "found"}
    count = len(made["alarms"])
    return Result.done(
        f"{count} alarms, each fired, heard and set back; dashboard {names.dashboard}; request {request_id} followed",
        **made,
        correlation={**proof, "access_log": in_access_log},
    )


def _why_not(*, keeps: bool) -> str:
    if keeps:
        return f"NOT RUN: the access log had no line within {_PATIENCE_S} s"
    return "NOT RUN: the stage writes no access log (no CloudWatch role for API Gateway, or an emulator)"


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
