"""Runs checks: each makes its request and hands what it saw to the judge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from chalicelib.domain.aws.http import Reply
from chalicelib.domain.aws.sdk_target import Target as SdkTarget
from chalicelib.domain.errors import AwsCallFailed
from chalicelib.ports import Aws

from . import upstream
from .endpoint_checks import Call, Check
from .expectations import Outcome, Verdict, filled, judge, not_run
from .target import TIMEOUT_S, Target

_PARALLEL = 8  # most of a check is waiting, for a timeout above all
_TEXT = 20_000
_TIMED_ATTEMPTS = 3

WHY_NOT = {
    "stand_in": "no upstream here can be told to fail: faults are planted in the embedded cloud only",
    "client_keys": "the secret has no client keys, so every caller is let in",
    "live": "the public path serves another version than the one under test",
    "candidate": "the release is not tested through the candidate's path",
    "origin": "the secret's cors_origins lets no browser in",
    "retries": "the secret's retries is 0",
    "attempts": "health does not tell how often the proxy tries",
    "first_byte_ms": "the secret's timeouts.first_byte_s is above 5 s, too long to wait for here",
    "idle_ms": "the secret's timeouts.idle_s is above 5 s, too long to wait for here",
}


def run_all(checks: Sequence[Check], target: Target, aws: Aws) -> list[Outcome]:
    """All outcomes, in the order of the checks."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(lambda check: run_one(check, target, aws), checks))


def run_one(check: Check, target: Target, aws: Aws) -> Outcome:
    """One check's outcome; NOT RUN when something that it needs is not there."""
    for need in check.needs:
        if not target.known.get(need):
            return not_run(check.name, WHY_NOT[need])
    outcome = _attempt(check, target, aws)
    for _ in range(_TIMED_ATTEMPTS - 1 if check.is_timed else 0):
        if outcome.verdict is Verdict.PASSED:
            break
        # Late once may be this machine's fault; late every time is the proxy's.
        outcome = _attempt(check, target, aws)
    return outcome


def _attempt(check: Check, target: Target, aws: Aws) -> Outcome:
    model = f"proxyctl-{target.known['nonce']}-{check.name}"
    known = {**target.known, "fault_model": model}
    expects = [replace(expect, value=filled(expect.value, known)) for expect in check.expects]
    planted = bool(check.faults) and bool(target.known["stand_in"])
    faults = [filled(fault, known) for fault in check.faults]
    if planted:
        upstream.plant(faults, model, aws)
    facts = _observe(check, target, known, aws)
    if planted:
        asked = sum(int(one.get("times", 1)) for one in faults if one["type"] == "fail")
        facts["attempts"] = asked - upstream.leftover(faults, model, aws)
    return judge(check.name, expects, facts)


def _observe(check: Check, target: Target, known: Mapping[str, Any], aws: Aws) -> dict[str, Any]:
    if check.sdk:
        models = {"chat": known["chat_model"], "embedding": known["embedding_model"]}
        where = SdkTarget(target.url, target.signed, TIMEOUT_S)
        return dict(aws.sdk.observe(check.sdk, where, models))
    assert check.call is not None, f"check {check.name} sends nothing"
    # A check that needs the candidate means its door, also where a revalidation asks the live version through it.
    door = target.url if check.call.signed or "candidate" in check.needs else _unsigned_url(target)
    return _call(check.call, door, target, known, aws)


def _call(call: Call, door: str, target: Target, known: Mapping[str, Any], aws: Aws) -> dict[str, Any]:
    body = call.raw or (b"" if call.body is None else json.dumps(filled(call.body, known)).encode())
    if call.pad_to > len(body):
        # White space after JSON is JSON: only the size is wrong.
        body += b" " * (call.pad_to - len(body))
    url = door + call.path
    headers = filled(call.headers, known)
    signed = call.signed and target.signed
    try:
        reply = aws.endpoint.call(call.method, url, headers, body, signed=signed, timeout_s=TIMEOUT_S)
    except AwsCallFailed as error:
        return {"status": 0, "ms": 0.0, "request_id": "", "error": error.message, **error.evidence}
    return facts_of(reply)


def _unsigned_url(target: Target) -> str:
    """Unsigned requests go where the release is tested: to the closed door of the candidate, or to the public path."""
    return str(target.known["public_url"]) if target.known["live"] else target.url


def facts_of(reply: Reply) -> dict[str, Any]:
    """What expectations may speak of."""
    return {
        "status": reply.status,
        "ms": reply.elapsed_ms,
        "first_byte_ms": reply.first_byte_ms,
        "timed_ms": _timed_ms(reply),
        "headers": reply.headers,
        "json": reply.json(),
        "text": reply.body[:_TEXT].decode(errors="replace"),
        "cut": reply.cut,
        "request_id": reply.headers.get("x-request-id", ""),
        "tells_of_failure": _tells_of_failure(reply),
    }


def _timed_ms(reply: Reply) -> float:
    """How long the proxy took, by its own headers where it wrote them last: a cold start is not its timeout's fault."""
    told = [reply.headers.get(name, "") for name in ("x-proxy-overhead-ms", "x-proxy-upstream-ms")]
    if reply.headers.get("content-type", "").startswith("text/event-stream"):
        return reply.elapsed_ms  # headers went before the wait
    try:
        return min(reply.elapsed_ms, sum(float(value) for value in told))
    except ValueError:
        return reply.elapsed_ms


def _tells_of_failure(reply: Reply) -> bool:
    """Whether a client can know that something went wrong: by status, by a broken body, or by an error event."""
    if reply.status >= 400 or reply.cut:
        return True
    events = [line[6:] for line in reply.body.splitlines() if line.startswith(b"data: {")]
    return any(_has_error(event) for event in events)


def _has_error(event: bytes) -> bool:
    try:
        return bool(json.loads(event).get("error"))
    except (ValueError, AttributeError):
        return True  # an event that cannot be parsed is no secret to the client
