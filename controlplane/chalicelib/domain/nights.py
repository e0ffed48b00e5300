"""What came of a night in which every environment was checked again: a verdict each, and the sum of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .model import Deployment, DeploymentStatus

_DRIFT = "Drift"  # the code that check_drift fails with


class Verdict(StrEnum):
    """LOST: it was to be checked, and nobody knows what came of it."""

    GOOD = "good"
    DRIFTED = "drifted"
    FAILED = "failed"
    BUSY = "busy"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Checked:
    """What one environment's check came to. deployment_id: "" where none was started."""

    environment: str
    verdict: Verdict
    deployment_id: str = ""
    why: str = ""


def checked(deployment: Deployment) -> Checked:
    """The verdict that a revalidation which has ended stands for."""
    if deployment.status is DeploymentStatus.SUCCEEDED:
        return Checked(deployment.environment, Verdict.GOOD, deployment.id)
    drifted = (deployment.error or {}).get("code") == _DRIFT
    verdict = Verdict.DRIFTED if drifted else Verdict.FAILED
    return Checked(deployment.environment, verdict, deployment.id, deployment.summary)


def summed_up(asked: Sequence[str], found: Sequence[Checked]) -> dict[str, Any]:
    """Counts by verdict, how many were started, and who is what; `good` ones are counted, the others named."""
    known: Mapping[str, Checked] = {one.environment: one for one in found}
    each = [known.get(name) or Checked(name, Verdict.LOST) for name in asked]
    by_verdict = {verdict: [one for one in each if one.verdict is verdict] for verdict in Verdict}
    return {
        "asked": len(each),
        "started": sum(bool(one.deployment_id) for one in each),
        **{verdict.value: len(ones) for verdict, ones in by_verdict.items()},
        "which": {
            verdict.value: {one.environment: one.deployment_id for one in ones}
            for verdict, ones in by_verdict.items()
            if ones and verdict is not Verdict.GOOD
        },
    }
