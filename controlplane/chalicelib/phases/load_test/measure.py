"""Measures new execution environments of the release on a temporary function version.

Lambda publishes a new version only when settings differ, so the measurement changes memory and a marker variable; it
deletes the version afterwards and restores the settings of `$LATEST`. No alias points at the version, so no user
reaches it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from chalicelib.domain.aws.functions import FunctionConfig, FunctionSettings, Invocation
from chalicelib.domain.errors import NotFound, PhaseFailed
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from .report_lines import Report, read

MARK = "PROXYCTL_MEASUREMENT"
DESCRIPTION = "proxyctl measurement"
_SETTLE_S = 60.0
_FIRST_PAUSE_S, _USUALLY_S = 0.1, 0.6  # pauses grow when an update takes longer than most
_PARALLEL = 32

Sleep = Callable[[float], None]
Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TemporaryVersion:
    """A published version to measure."""

    function: str
    version: str
    aws: Aws = field(repr=False)

    def call_cold(self, count: int, event: Event) -> list[Report]:
        """Reports of the cold starts among `count` parallel calls: none finds a free environment."""
        with ThreadPoolExecutor(min(count, _PARALLEL)) as pool:
            calls = list(pool.map(lambda _: self._call(event), range(count)))
        return [report for report in (read(call.log) for call in calls) if report.init_from]

    def call_warm(self, count: int, event: Event) -> list[tuple[Report, float]]:
        """`count` calls one after another: each report, and the milliseconds that the caller measured."""
        calls = [self._call(event) for _ in range(count)]
        return [(read(call.log), call.ms) for call in calls]

    def _call(self, event: Event) -> Invocation:
        call = self.aws.functions.invoke(self.function, self.version, event)
        if call.failed:
            raise PhaseFailed(
                f"the measurement's version {self.version} failed: {call.payload[:300].decode(errors='replace')}",
                code="MeasurementFailed",
                remedy="Look at the function's log for the traceback.",
            )
        return call


@contextmanager
def temporary_version(
    request: Request, aws: Aws, memory_mb: int, sleep: Sleep = time.sleep
) -> Iterator[TemporaryVersion]:
    """A version of `$LATEST` with this memory; it is deleted afterwards, after errors too.

    Raises PhaseFailed (UpdateTooSlow).
    """
    function = request.names.function
    _settle(function, None, aws, sleep)  # the measurement before this one restored its settings a moment ago
    before = aws.functions.config(function)
    marked = {**before.environment, MARK: f"{request.deployment_id}-{memory_mb}"}
    version = ""
    _delete_leftovers(function, aws)
    try:
        aws.functions.update_settings(function, FunctionSettings(memory_mb, before.timeout_s, marked))
        _settle(function, None, aws, sleep)
        version = aws.functions.publish(function, code_sha256=before.code_sha256, description=DESCRIPTION).number
        _settle(function, version, aws, sleep)
        yield TemporaryVersion(function, version, aws)
    finally:
        _restore(function, before, version, aws, sleep)


def _delete_leftovers(function: str, aws: Aws) -> None:
    """Delete versions of a measurement whose Lambda was killed."""
    for version in aws.functions.versions(function):
        if version.description == DESCRIPTION:
            aws.functions.delete_version(function, version.number)


def _restore(function: str, before: FunctionConfig, version: str, aws: Aws, sleep: Sleep) -> None:
    _settle(function, None, aws, sleep)
    environment = {name: value for name, value in before.environment.items() if name != MARK}
    aws.functions.update_settings(function, FunctionSettings(before.memory_mb, before.timeout_s, environment))
    if version:
        aws.functions.delete_version(function, version)


def _settle(function: str, version: str | None, aws: Aws, sleep: Sleep) -> None:
    waited, pause = 0.0, _FIRST_PAUSE_S
    while waited < _SETTLE_S:
        if _is_settled(function, version, aws):
            return
        sleep(pause)
        waited += pause
        if waited > _USUALLY_S:
            pause = min(2.0, pause * 1.5)
    raise PhaseFailed(
        f"Lambda was still updating {function} after {_SETTLE_S:.0f} s",
        code="UpdateTooSlow",
        remedy="Resume the deployment: it continues here.",
    )


def _is_settled(function: str, version: str | None, aws: Aws) -> bool:
    """Whether it is there and takes calls and updates. A read right after the publication may not see the version."""
    try:
        config = aws.functions.config(function, version)
    except NotFound:
        if version is None:
            raise
        return False
    return config.update_status != "InProgress" and config.state != "Pending"


def event(method: str, path: str, body: bytes = b"") -> Event:
    """The event that API Gateway sends for a signed request to the candidate's path."""
    return {
        "httpMethod": method,
        "path": f"/_candidate{path}",
        "headers": {"content-type": "application/json"} if body else {},
        "body": body.decode() or None,
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "measurement",
            "resourcePath": "/_candidate/{proxy+}",
            "identity": {"userArn": "proxyctl"},
        },
    }
