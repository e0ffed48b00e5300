"""Fresh environments of the release, forced and measured: a throwaway version, called as often at once as asked.

Settings that differ make Lambda publish a version of its own; it is deleted afterwards, and `$LATEST` gets its settings
back. No alias points to it, so no user ever meets it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.aws.functions import FunctionConfig, FunctionSettings, Invocation
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from .report_lines import Report, read

MARK = "PROXYCTL_MEASUREMENT"
DESCRIPTION = "proxyctl measurement"
_SETTLE_S = 60.0
_AT_ONCE = 32

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Throwaway:
    """A published version to measure."""

    function: str
    version: str
    aws: Aws = field(repr=False)

    def cold(self, count: int, event: Mapping[str, Any]) -> list[Report]:
        """`count` calls at once: none is free yet, so each starts an environment. What started warm is left out."""
        with ThreadPoolExecutor(min(count, _AT_ONCE)) as pool:
            calls = list(pool.map(lambda _: self._call(event), range(count)))
        return [report for report in (read(one.log) for one in calls) if report.init_from]

    def warm(self, count: int, event: Mapping[str, Any]) -> list[tuple[Report, float]]:
        """`count` calls one after another, each with the milliseconds that this caller saw."""
        calls = [self._call(event) for _ in range(count)]
        return [(read(one.log), one.ms) for one in calls]

    def _call(self, event: Mapping[str, Any]) -> Invocation:
        made = self.aws.functions.invoke(self.function, self.version, event)
        if made.failed:
            said = made.payload[:300].decode(errors="replace")
            raise PhaseFailed(
                f"version {self.version}, published to be measured, failed: {said}",
                code="MeasurementFailed",
                remedy="Look at the function's log for the traceback.",
            )
        return made


@contextmanager
def throwaway(request: Request, aws: Aws, memory_mb: int, sleep: Sleep = time.sleep) -> Iterator[Throwaway]:
    """A version of what `$LATEST` holds, with this memory; gone afterwards, whatever happens."""
    function = Names(request.environment.name).function
    before = aws.functions.config(function)
    marked = {**before.environment, MARK: f"{request.deployment_id}-{memory_mb}"}
    version = ""
    _clear(function, aws)
    try:
        aws.functions.update_settings(function, FunctionSettings(memory_mb, before.timeout_s, marked))
        _settled(function, None, aws, sleep)
        version = aws.functions.publish(function, code_sha256=before.code_sha256, description=DESCRIPTION).number
        _settled(function, version, aws, sleep)
        yield Throwaway(function, version, aws)
    finally:
        _put_back(function, before, version, aws, sleep)


def _clear(function: str, aws: Aws) -> None:
    """What a measurement left behind whose Lambda was killed."""
    for old in aws.functions.versions(function):
        if old.description == DESCRIPTION:
            aws.functions.delete_version(function, old.number)


def _put_back(function: str, before: FunctionConfig, version: str, aws: Aws, sleep: Sleep) -> None:
    _settled(function, None, aws, sleep)
    kept = {name: value for name, value in before.environment.items() if name != MARK}
    aws.functions.update_settings(function, FunctionSettings(before.memory_mb, before.timeout_s, kept))
    if version:
        aws.functions.delete_version(function, version)
    # Whoever updates the function next must not meet an update in progress.
    _settled(function, None, aws, sleep)


def _settled(function: str, version: str | None, aws: Aws, sleep: Sleep) -> None:
    waited, pause = 0.0, 0.1
    while waited < _SETTLE_S:
        config = aws.functions.config(function, version)
        if config.update_status != "InProgress" and config.state != "Pending":
            return
        sleep(pause)
        waited, pause = waited + pause, min(2.0, pause * 1.5)
    raise PhaseFailed(
        f"Lambda was still updating {function} after {_SETTLE_S:.0f} s",
        code="UpdateTooSlow",
        remedy="Run the deployment again: it continues here.",
    )


def event(method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    """A request as API Gateway's candidate path would hand it over; IAM has let the caller in, as it does there."""
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


def starts_of(reports: Sequence[Report]) -> dict[str, Any]:
    """Evidence of cold starts: each init duration (ms) and who told."""
    return {
        "cold_starts_ms": [round(report.init_ms, 1) for report in reports if report.init_ms is not None],
        "cold_starts_from": sorted({report.init_from for report in reports}),
        "max_memory_mb": max((report.max_memory_mb for report in reports if report.max_memory_mb), default=None),
    }
