"""The world of the checks: the answers of the real proxy and its upstream, recorded once and given again.

The throttle's drive is left out: it speaks TCP itself and passes no port (tests/functional/load).
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from chalicelib.checks import stand_in
from chalicelib.checks.check import Check
from chalicelib.checks.conclude import conclude
from chalicelib.checks.endpoint_checks import ENDPOINTS
from chalicelib.checks.error_checks import ERRORS
from chalicelib.checks.expectations import CheckVerdict
from chalicelib.checks.fault_checks import FAULTS
from chalicelib.checks.observe import run_all
from chalicelib.checks.target import locate
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.evidence.checks import EndpointsEvidence, ErrorsEvidence
from chalicelib.engine.phase import Request, Result
from chalicelib.ports import Aws
from llmock.testing import LLMockServer

from tests.fakes import FakeAws, settings
from tests.fakes.endpoint import FakeEndpoint, Sent
from tests.functional.phases.looks import Looking, looking, request_for
from tests.functional.phases.stage import VERSION, stage
from tests.functional.phases.test_checks import SECRET

_NONCE = re.compile(r"(?<=proxyctl-)[0-9a-f]{16}(?=-)|\b[0-9a-f]{16}\b")
_EVERY: Sequence[Check] = (*ENDPOINTS, *ERRORS, *FAULTS)
_HEAD = 4_096
Key = tuple[object, ...]


@dataclass
class Recording:
    """replies: by request, in their order; facts: by operation of the SDK; well: names of the checks that passed."""

    url: str
    faults_url: str
    replies: dict[Key, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    nonce: str = ""
    well: frozenset[str] = frozenset()


def _key(method: str, url: str, headers: Mapping[str, str] | None, body: bytes, signed: bool) -> Key:
    named = sorted((name, _NONCE.sub("N", value)) for name, value in (headers or {}).items())
    return method, _NONCE.sub("N", url), tuple(named), _NONCE.sub("N", _head(body)), len(body), signed


def _head(body: bytes) -> str:
    """Enough to tell bodies apart; one of the checks sends six megabytes."""
    return body[:_HEAD].decode("latin-1")


class _RecordingEndpoint:
    def __init__(self, endpoint: Any, recording: Recording) -> None:
        self._endpoint, self._recording = endpoint, recording

    def call(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"", **other: Any
    ) -> Reply:
        reply: Reply = self._endpoint.call(method, url, headers, body, **other)
        self._recording.replies[_key(method, url, headers, body, other["signed"])].append(reply)
        return reply

    def __getattr__(self, name: str) -> Any:
        return getattr(self._endpoint, name)


class _RecordingSdk:
    def __init__(self, sdk: Any, recording: Recording) -> None:
        self._sdk, self._recording = sdk, recording

    def observe(self, operation: str, target: Any, models: Any) -> Mapping[str, Any]:
        facts: Mapping[str, Any] = self._sdk.observe(operation, target, models)
        self._recording.facts[operation] = facts
        return facts


@dataclass
class _Recorder(FakeAws):
    endpoint: Any = None
    sdk: Any = None


@cache
def recording() -> Recording:
    """What the checks send and get from the real proxy in this process, behind llmock."""
    with LLMockServer() as server, stage(server.base_url("openai"), **SECRET) as serving:
        result = Recording(serving.url, server.url)
        plain: Looking = looking(server.url)
        aws = _Recorder(plain.settings, functions=plain.functions)
        aws.endpoint, aws.sdk = _RecordingEndpoint(plain.endpoint, result), _RecordingSdk(plain.sdk, result)
        target = stand_in.established(locate(request_for(serving), aws.as_aws()), aws.as_aws())
        outcomes = run_all(_EVERY, target, aws.as_aws())
        result.nonce = str(target.variables["nonce"])
    # On a busy machine a check of times may fail: what passed is given again.
    result.well = frozenset(each.name for each in outcomes if each.verdict is CheckVerdict.PASSED)
    assert len(result.well) > len(_EVERY) / 2, outcomes
    return result


@dataclass
class Checking(FakeAws):
    """The ports, with the recorded proxy behind `endpoint` and `sdk`."""

    sdk: Any = None


class _Sdk:
    def observe(self, operation: str, target: Any, models: Any) -> Mapping[str, Any]:
        return recording().facts[operation]


def world() -> Checking:
    """A function whose candidate answers as recorded."""
    fake = Checking(settings(upstream_faults_url=recording().faults_url), sdk=_Sdk())
    fake.functions.add("proxyctl-dev-proxy", FunctionConfig("abc", 512, 29, {}, "python3.11"), live="1", versions=7)
    fake.functions.pointed["proxyctl-dev-proxy"]["candidate"] = Alias("candidate", VERSION)
    left: dict[Key, list[Reply]] = {}
    fake.endpoint = FakeEndpoint()
    fake.endpoint.answer = lambda sent: _again(sent, left)
    return fake


def _again(sent: Sent, left: dict[Key, list[Reply]]) -> Reply:
    """The recorded replies to this request, one after the other, the last one for ever; each run of the checks has a
    nonce of its own, and gets them from the first one on."""
    now = _NONCE.search(" ".join([*sent.headers.values(), _head(sent.body)]))
    key = _key(sent.method, sent.url, sent.headers, sent.body, sent.signed)
    replies = left.setdefault((now.group() if now else "", *key), list(recording().replies[key]))
    reply = replies.pop(0) if len(replies) > 1 else replies[0]
    if now is None:
        return reply
    before, after = recording().nonce, now.group()
    headers = {name: value.replace(before, after) for name, value in reply.headers.items()}
    return dataclasses.replace(reply, headers=headers, body=reply.body.replace(before.encode(), after.encode()))


def ask() -> Request:
    """A deploy whose candidate is the recorded proxy."""

    @dataclass
    class At:
        url: str

    return request_for(At(recording().url))  # type: ignore[arg-type]


def _well(checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if check.name in recording().well]


def check_endpoints(request: Request, aws: Aws) -> Result[EndpointsEvidence]:
    """validate_endpoints, with the checks that passed when they were recorded."""
    target = locate(request, aws)
    return conclude(EndpointsEvidence, "endpoint", run_all(_well(ENDPOINTS), target, aws), target.version)


def check_errors(request: Request, aws: Aws) -> Result[ErrorsEvidence]:
    """validate_errors without the throttle's drive, with the checks that passed when they were recorded."""
    target = stand_in.established(locate(request, aws), aws)
    return conclude(ErrorsEvidence, "error", run_all(_well((*ERRORS, *FAULTS)), target, aws), target.version)
