"""Reads the new version's failures since the bake began, and compares them with the record of the one before."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.aws.alarms import Metric
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.comparison import Compared, Split
from chalicelib.domain.evidence.release import ShiftEvidence
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.release.against_record import compare


def read_failures(shift: ShiftEvidence, request: Request, aws: Aws) -> str:
    """The comparison in words; "" without a record, and in the embedded cloud, whose functions have no metrics.

    Raises PhaseFailed (CanaryWorse) when the version fails more often than the one before, with confidence.
    """
    record = next((each for each in shift.comparisons if each.metric == "errors"), Compared()).worse.total
    if not record.live or aws.settings.embedded:
        return ""
    count, hits = _counts(shift.version, request, aws)
    verdict = compare(min(hits, count), count, record.live_hits, record.live)
    words = described(hits, count, record, verdict.limit)
    if verdict.is_worse:
        raise PhaseFailed(
            f"version {shift.version} fails more often than version {shift.from_version} did: {words}",
            code="CanaryWorse",
            remedy="Look at the function's log. The rollback restores the traffic.",
            evidence={"invocations": count, "errors": hits, "limit": verdict.limit, "e_value": verdict.evidence},
        )
    return words


def described(hits: int, count: int, record: Split, limit: float) -> str:
    """Both sides' failures and the limit."""
    return (
        f"{hits} of {count:,} calls failed, {record.live_hits} of {record.live:,} before"
        f" (at most {limit * 100:.2g} % with 99.9 % confidence)"
    )


def _counts(version: str, request: Request, aws: Aws) -> tuple[int, int]:
    """Invocations and errors of the version since the bake began."""
    dimensions = {
        "FunctionName": request.names.function,
        "Resource": f"{request.names.function}:live",
        "ExecutedVersion": version,
    }
    metrics = {name.lower(): Metric("AWS/Lambda", name, dimensions, "Sum") for name in ("Invocations", "Errors")}
    # CloudWatch stamps a minute's sum with the minute's beginning.
    sums = aws.metrics.sums(metrics, request.started_at - timedelta(minutes=1), request.now)
    return int(sums["invocations"]), int(sums["errors"])
