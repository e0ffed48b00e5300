"""How a deployment ended, from the records of its phases and the error that the state machine caught."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.evidence.outcome import OutcomeEvidence
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.model import Action, DeploymentStatus, PhaseRecord, PhaseStatus

from . import success

_RESUME = "POST /deployments/{id}/resume continues where it ended."
_REMEDIES = {"ExecutionStopped": _RESUME, "Aborted": _RESUME}


@dataclass(frozen=True, slots=True)
class Outcome:
    """error: `{code, message, field?, remedy?}`, None for a success.

    broken: the record of the phase that ended the deployment; it says RUNNING when its Lambda died before it could
    record its failure.
    """

    status: DeploymentStatus
    summary: str
    error: Mapping[str, str] | None = None
    broken: PhaseRecord | None = None

    @property
    def is_good(self) -> bool:
        """Whether the deployment succeeded."""
        return self.status is DeploymentStatus.SUCCEEDED


def outcome_of(
    action: Action,
    recorded: Sequence[PhaseRecord],
    caught: Mapping[str, str] | None,
    *,
    aborted: bool,
    changed: Collection[str] = (),
    current: str = "",
) -> Outcome:
    """SUCCEEDED, ABORTED, ROLLED_BACK (a failure after which the aliases were moved back) or FAILED.

    caught: what an ASL Catch caught, `{Error, Cause}`. aborted: whether someone asked the deployment to stop.
    changed: fields of the configuration that differ from the last good release's. current: the phase that began last,
    which is named when no phase recorded a failure.
    """
    records = [record for record in recorded if record.name != OutcomeEvidence.PHASE]
    broken = _first_broken(records)
    if not caught and (broken is None or broken.status is PhaseStatus.RUNNING):
        return Outcome(DeploymentStatus.SUCCEEDED, success.summary(action, records, changed))
    error = dict(broken.error) if broken and broken.error else _caught_error(caught or {})
    back = _roll_back(records)
    status = _failure(action, error["code"], aborted=aborted, went_back=back is not None)
    verb = "was stopped" if status is DeploymentStatus.ABORTED else "failed"
    where = f"in {broken.name}" if broken else f"after {current}" if current else "in the workflow"
    summary = f"{action.value.capitalize()} {verb} {where}: {error['message']}"
    return Outcome(status, f"{summary}. {back.summary}" if back else summary, error, broken)


def _first_broken(records: Sequence[PhaseRecord]) -> PhaseRecord | None:
    """The phase that failed first; else one that still says RUNNING, because its Lambda died."""
    failed = [record for record in records if record.status is PhaseStatus.FAILED]
    silent = [record for record in records if record.status is PhaseStatus.RUNNING]
    return next(iter(sorted(failed, key=lambda record: record.ended_at or "") or silent), None)


def _roll_back(records: Sequence[PhaseRecord]) -> PhaseRecord | None:
    """The record of a roll_back that succeeded."""
    backs = (record for record in records if record.name == RollBackEvidence.PHASE)
    return next((record for record in backs if record.status is PhaseStatus.SUCCEEDED), None)


def _failure(action: Action, code: str, *, aborted: bool, went_back: bool) -> DeploymentStatus:
    """The status of a deployment that did not succeed. An abort that came too late to cause the failure is none."""
    if aborted and code == "Aborted":
        return DeploymentStatus.ABORTED
    if went_back and action is not Action.ROLLBACK:
        return DeploymentStatus.ROLLED_BACK
    return DeploymentStatus.FAILED


def _caught_error(caught: Mapping[str, str]) -> dict[str, str]:
    """The error that Step Functions caught, for a Lambda that could not record its own."""
    name = str(caught.get("Error", "Unknown"))
    return {
        "code": name,
        "message": _message(str(caught.get("Cause", ""))) or f"the Lambda ended with {name}",
        "remedy": _REMEDIES.get(name, "The log group /proxyctl/controlplane has the Lambda's last lines."),
    }


def _message(cause: str) -> str:
    """Lambda puts its error as JSON into the cause; other causes are plain text."""
    try:
        return str(json.loads(cause).get("errorMessage", cause))
    except (ValueError, AttributeError):
        return cause
