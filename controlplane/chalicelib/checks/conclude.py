"""What the outcomes of many checks mean for a phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.checks import ChecksEvidence
from chalicelib.engine.phase import Result

from .expectations import CheckOutcome, CheckVerdict

E = TypeVar("E", bound=ChecksEvidence)


def conclude(kind: type[E], what: str, outcomes: Sequence[CheckOutcome], version: str) -> Result[E]:
    """The phase's result. kind: its evidence; what: `endpoint` or `error`; version: the function version under test.

    Checks that were not run are named and do not count. Raises PhaseFailed (CheckFailed) when a check failed.
    """
    by_verdict = {verdict: [outcome for outcome in outcomes if outcome.verdict is verdict] for verdict in CheckVerdict}
    passed, failed, not_run = (by_verdict[verdict] for verdict in CheckVerdict)
    rows = tuple(outcome.as_row() for outcome in outcomes)
    evidence = kind(version, len(passed), len(failed), len(not_run), rows)
    if failed:
        raise PhaseFailed(
            f"{len(failed)} of {len(outcomes)} {what} checks failed on version {version}{_reasons(failed)}"
            + (f"; {len(not_run)} NOT RUN" if not_run else ""),
            code="CheckFailed",
            remedy=_remedy(failed[0]),
            evidence=encode(evidence),
        )
    summary = f"{len(passed)} of {len(outcomes)} {what} checks passed on version {version}"
    if not_run:
        summary += f"; NOT RUN: {', '.join(outcome.name for outcome in not_run)}"
    return Result.done(summary, evidence)


def _reasons(failed: Sequence[CheckOutcome]) -> str:
    """`: name: reason; …`, where checks that failed for the same cause share one entry."""
    causes = {outcome.cause for outcome in failed}
    if len(failed) > 1 and len(causes) == 1 and failed[0].cause:
        return f" with {failed[0].cause}"
    return ": " + "; ".join(_grouped(failed))


def _grouped(failed: Sequence[CheckOutcome]) -> Iterator[str]:
    groups: dict[str, list[CheckOutcome]] = {}
    for outcome in failed:
        groups.setdefault(outcome.cause or outcome.name, []).append(outcome)
    for group in groups.values():
        if len(group) == 1:
            yield f"{group[0].name}: {group[0].reason}"
        else:
            yield f"{len(group)} with {group[0].cause} ({', '.join(outcome.name for outcome in group)})"


def _remedy(outcome: CheckOutcome) -> str:
    log = f"Look for request {outcome.request_id} in the proxy's log." if outcome.request_id else "See the proxy's log."
    return f"{outcome.name} expects: {'; '.join(outcome.expected)}. {log}"
