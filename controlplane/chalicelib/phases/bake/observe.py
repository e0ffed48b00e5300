"""Compares the version that serves all users with what was counted of the one before: failures, and times."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.checks.comparison.comparison_words import phrase_record
from chalicelib.checks.comparison.read_times import read_times
from chalicelib.checks.comparison.record_times import Tally, errors_row, tallied, times_rows
from chalicelib.checks.comparison.side_by_side import WORSE
from chalicelib.domain.aws.alarms import Metric
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.comparison import AgainstRecord, Compared
from chalicelib.domain.evidence.release import ShiftEvidence
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws

from .cursor import BakeCursor

_MS_PER_S = 1_000
Rows = tuple[AgainstRecord, ...]


def observe(shift: ShiftEvidence, cursor: BakeCursor, request: Request, aws: Aws) -> tuple[Rows, BakeCursor]:
    """Every comparison so far, and the cursor after this look. None without a record, and in the embedded cloud, whose
    functions have no metrics by version.

    Raises PhaseFailed (CanaryWorse) when the version is worse than the one before was, with confidence.
    """
    record = next((each for each in shift.comparisons if each.metric == "errors"), Compared()).worse.total
    if aws.settings.embedded or not (record.live or shift.live_times):
        return (), cursor
    cursor = _read(shift, cursor, request, aws)
    rows = times_rows(cursor.tallies, shift.live_times, request.options.slo)
    if record.live and request.options.slo.relative.errors is not None:
        rows.insert(0, errors_row(_failures(shift.version, cursor, request, aws), record.live_hits, record.live))
    _refuse(shift, rows)
    return tuple(rows), cursor


def _read(shift: ShiftEvidence, cursor: BakeCursor, request: Request, aws: Aws) -> BakeCursor:
    since_ms = cursor.read_until_ms or int(request.started_at.timestamp() * _MS_PER_S)
    reading = read_times(request.names.log_group, since_ms, request.now, aws)
    lines = reading.of(shift.version)
    return replace(
        cursor,
        read_until_ms=reading.until_ms,
        requests=cursor.requests + lines.requests.total(),
        failures=cursor.failures + lines.failures.total(),
        tallies=tallied(cursor.tallies, shift.live_times, lines.series, request.options.slo),
    )


def _failures(version: str, cursor: BakeCursor, request: Request, aws: Aws) -> Tally:
    """Failures that the proxy's lines tell, and crashes, which have no line. Without lines, Lambda's own counts."""
    dimensions = {
        "FunctionName": request.names.function,
        "Resource": f"{request.names.function}:live",
        "ExecutedVersion": version,
    }
    metrics = {name.lower(): Metric("AWS/Lambda", name, dimensions, "Sum") for name in ("Invocations", "Errors")}
    # CloudWatch stamps a minute's sum with the minute's beginning.
    sums = aws.metrics.sums(metrics, request.started_at - timedelta(minutes=1), request.now)
    crashes, invocations = int(sums["errors"]), int(sums["invocations"])
    count = cursor.requests + crashes if cursor.requests else max(invocations, crashes)
    return Tally("errors", cursor.failures + crashes, count)


def _refuse(shift: ShiftEvidence, rows: list[AgainstRecord]) -> None:
    losers = [row for row in rows if row.verdict == WORSE]
    if losers:
        words = "; ".join(map(phrase_record, losers))
        raise PhaseFailed(
            f"version {shift.version} is worse than version {shift.from_version} was: {words}",
            code="CanaryWorse",
            remedy="Look at the function's log. The rollback restores the traffic.",
            evidence={"against_record": [encode(row) for row in losers]},
        )
