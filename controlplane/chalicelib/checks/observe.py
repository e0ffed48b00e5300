"""Runs checks: each makes its request, collects the facts of the answer and judges them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

from chalicelib.domain.aws.address import Domain
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.aws.sdk_target import Target as SdkTarget
from chalicelib.domain.errors import AwsCallFailed
from chalicelib.ports import Aws

from . import reach_domain, upstream
from .check import Check, HttpRequest
from .expectations import CheckOutcome, CheckVerdict, filled, judge, not_run
from .repeat import until_let_in
from .target import TIMEOUT_S, Target

_TEXT = 20_000
_TIMED_ATTEMPTS = 3

WHY_NOT = {
    "stand_in": "no planted fault was used up: the upstream is not the stand-in of the embedded cloud",
    "client_keys": "the secret has no client keys, so every caller is let in",
    "live": "the public path serves another version than the one under test",
    "domain": "the environment has no domain, or users get it with this release's shift, after these checks",
    "candidate": "the release is not tested through the candidate's path",
    "streams": "answers are buffered here, or API Gateway's STREAM integration is missing (the embedded cloud)",
    "origin": "the secret's cors_origins allows no browser",
    "retries": "the secret's retries is 0",
    "attempts": "health does not tell how often the proxy tries",
    "first_byte_ms": "the secret's timeouts.first_byte_s is above 5 s, too long to wait for here",
    "idle_ms": "the secret's timeouts.idle_s is above 5 s, too long to wait for here",
}

Facts = dict[str, object]


def run_all(checks: Sequence[Check], target: Target, aws: Aws) -> list[CheckOutcome]:
    """All outcomes, in the order of the checks; up to `target.at_once` checks run at a time."""
    with ThreadPoolExecutor(target.at_once) as pool:
        return list(pool.map(lambda check: run_check(check, target, aws), checks))


def run_check(check: Check, target: Target, aws: Aws) -> CheckOutcome:
    """One check's outcome; NOT RUN when the target lacks something that it needs."""
    outcome = run_once(check, target, aws)
    for _ in range(_TIMED_ATTEMPTS - 1 if check.is_timed else 0):
        if outcome.verdict is not CheckVerdict.FAILED:
            break
        # A single late answer may be this machine's fault; three in a row are the proxy's.
        outcome = run_once(check, target, aws)
    return outcome


def run_once(check: Check, target: Target, aws: Aws) -> CheckOutcome:
    """The outcome of one attempt, also of a check that judges time."""
    for need in check.needs:
        if not target.variables.get(need):
            return not_run(check.name, WHY_NOT[need])
    return _attempt(check, target, aws)


def _attempt(check: Check, target: Target, aws: Aws) -> CheckOutcome:
    model = f"proxyctl-{target.variables['nonce']}-{check.name}"
    variables = {**target.variables, "fault_model": model}
    expects = [replace(expect, value=filled(expect.value, variables)) for expect in check.expects]
    is_planted = bool(check.faults) and bool(target.variables["stand_in"])
    faults = [cast(Mapping[str, object], filled(fault, variables)) for fault in check.faults]
    if is_planted:
        upstream.plant(faults, model, aws)
    facts = until_let_in(lambda: _observe(check, target, variables, aws), lambda facts: facts.get("refused"), model)
    if is_planted:
        facts["attempts"] = upstream.count_attempts(faults, model, aws)
    if facts.get("not_run"):
        return not_run(check.name, str(facts["not_run"]))
    return judge(check.name, expects, facts)


def _observe(check: Check, target: Target, variables: Mapping[str, object], aws: Aws) -> Facts:
    if check.sdk:
        models = {"chat": str(variables["chat_model"]), "embedding": str(variables["embedding_model"])}
        sdk_target = SdkTarget(target.url, target.signed, TIMEOUT_S)
        return dict(aws.sdk.observe(check.sdk, sdk_target, models))
    assert check.http is not None, f"check {check.name} sends nothing"
    # A check that needs the candidate uses its path, even where a revalidation tests the live version through it.
    if "domain" in check.needs:
        return _through_domain(check.http, cast(Domain, variables["domain"]), aws)
    through_target = check.http.signed or "candidate" in check.needs
    url = target.url if through_target else _unsigned_url(target)
    return _send(check.http, url, target, variables, aws)


def _through_domain(request: HttpRequest, domain: Domain, aws: Aws) -> Facts:
    answer = reach_domain.ask(domain, request.path, aws)
    if answer.reply:
        return facts_of(answer.reply)
    if not answer.counts:
        return {"not_run": answer.reason}
    return {"status": 0, "ms": 0.0, "request_id": "", "error": answer.reason}


def _send(request: HttpRequest, base_url: str, target: Target, variables: Mapping[str, object], aws: Aws) -> Facts:
    headers = cast(Mapping[str, str], filled(request.headers, variables))
    signed = request.signed and target.signed
    url, body = base_url + request.path, _body(request, variables)
    try:
        reply = aws.endpoint.call(request.method, url, headers, body, signed=signed, timeout_s=TIMEOUT_S)
    except AwsCallFailed as error:
        return {"status": 0, "ms": 0.0, "request_id": "", "error": error.message, **error.evidence}
    return facts_of(reply)


def _body(request: HttpRequest, variables: Mapping[str, object]) -> bytes:
    json_body = b"" if request.body is None else json.dumps(filled(request.body, variables)).encode()
    # White space after JSON is valid JSON: only the size is wrong.
    return (request.raw or json_body).ljust(request.pad_to)


def _unsigned_url(target: Target) -> str:
    """Where an unsigned request tests the release: the public path of a live version, or the candidate's path."""
    return str(target.variables["public_url"]) if target.variables["live"] else target.url


def facts_of(reply: Reply) -> Facts:
    """The facts that expectations refer to by path."""
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
        "refused": reply.is_refused,
        "tells_of_failure": _tells_of_failure(reply),
    }


def _timed_ms(reply: Reply) -> float:
    """How long the proxy itself took by its headers, so that a cold start does not count; the client's time where a
    stream's headers were sent before the wait."""
    times = [reply.headers.get(name, "") for name in ("x-proxy-overhead-ms", "x-proxy-upstream-ms")]
    if reply.headers.get("content-type", "").startswith("text/event-stream"):
        return reply.elapsed_ms
    try:
        return min(reply.elapsed_ms, sum(float(value) for value in times))
    except ValueError:
        return reply.elapsed_ms


def _tells_of_failure(reply: Reply) -> bool:
    """Whether a client can tell that something went wrong: by status, broken body or error event."""
    if reply.status >= 400 or reply.cut:
        return True
    events = [line[6:] for line in reply.body.splitlines() if line.startswith(b"data: {")]
    return any(_has_error(event) for event in events)


def _has_error(event: bytes) -> bool:
    try:
        return bool(json.loads(event).get("error"))
    except (ValueError, AttributeError):
        return True  # a client cannot parse this event either
