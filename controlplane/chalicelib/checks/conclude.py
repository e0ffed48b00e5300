"""What the outcomes of many checks mean for a phase."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.errors import PhaseFailed
from chalicelib.engine.phase import Result

from .expectations import Outcome, Verdict


def concluded(kind: str, outcomes: Sequence[Outcome], version: str) -> Result:
    """The phase's result. Raises PhaseFailed when a check failed; one that was not run is told, and does not count."""
    by = {verdict: [one for one in outcomes if one.verdict is verdict] for verdict in Verdict}
    failed, idle = by[Verdict.FAILED], by[Verdict.NOT_RUN]
    evidence = {
        "version": version,
        "passed": len(by[Verdict.PASSED]),
        "failed": len(failed),
        "not_run": len(idle),
        "checks": [one.as_evidence() for one in outcomes],
    }
    if failed:
        first = failed[0]
        raise PhaseFailed(
            f"{len(failed)} of {len(outcomes)} {kind} checks failed on version {version}: "
            + "; ".join(f"{one.name}: {one.reason}" for one in failed),
            code="CheckFailed",
            remedy=f"{first.name} expects: {'; '.join(first.expected)}. "
            f"Look for request {first.request_id or '(no id)'} in the proxy's log.",
            evidence=evidence,
        )
    told = f"{len(by[Verdict.PASSED])} of {len(outcomes)} {kind} checks passed on version {version}"
    if idle:
        told += f"; NOT RUN: {', '.join(one.name for one in idle)}"
    return Result.done(told, **evidence)
