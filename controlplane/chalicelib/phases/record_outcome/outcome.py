"""How a deployment ended, from the records of its phases and the error that the state machine caught."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.evidence.outcome import OutcomeEvidence
from chalicelib.domain.evidence.release import RollBackEvidence, ShiftEvidence
from chalicelib.domain.evidence.stack import RestoreEvidence, SettingsEvidence
from chalicelib.domain.model import Action, DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.upgrade.evidence import RevertUpgradeEvidence

from . import success

# What takes a failed deployment back; their summaries stand beside the cause.
_WAYS_BACK = (RollBackEvidence.PHASE, RestoreEvidence.PHASE, RevertUpgradeEvidence.PHASE)
_TIMEOUTS = ("States.Timeout", "Sandbox.Timedout", "States.HeartbeatTimeout")
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
    """SUCCEEDED, ABORTED, ROLLED_BACK (a failure that users saw, and that was taken back) or FAILED.

    caught: what an ASL Catch caught, `{Error, Cause}`. aborted: whether someone asked the deployment to stop.
    changed: fields of the configuration that differ from the last good release's. current: the phase that began last,
    which is named when no phase recorded a failure.
    """
    records = [record for record in recorded if record.name != OutcomeEvidence.PHASE]
    broken = _first_broken(records)
    if not caught and (broken is None or broken.status is PhaseStatus.RUNNING):
        return Outcome(DeploymentStatus.SUCCEEDED, success.summary(action, records, changed))
    phase = broken.name if broken else current
    error = dict(broken.error) if broken and broken.error else _caught_error(caught or {}, phase)
    back = _roll_back(records)
    went_back = (back is not None and users_saw(records)) or _upgrade_reverted(records)
    status = _failure(action, error["code"], aborted=aborted, went_back=went_back)
    verb = "was stopped" if status is DeploymentStatus.ABORTED else "failed"
    where = f"in {broken.name}" if broken else f"after {current}" if current else "in the workflow"
    summary = f"{action.value.capitalize()} {verb} {where}: {error['message']}"
    ended = (PhaseStatus.SUCCEEDED, PhaseStatus.FAILED)
    ways_back = [record for record in records if record.name in _WAYS_BACK and record.status in ended]
    lines = [record.summary for record in ways_back if record is not broken and record.summary]
    return Outcome(status, ". ".join([summary, *lines]), error, broken)


def users_saw(records: Sequence[PhaseRecord]) -> bool:
    """Whether users reached the version or the settings of this deployment, for however short a time."""
    by_name = {record.name: record for record in records}
    shift, settings = by_name.get(ShiftEvidence.PHASE), by_name.get(SettingsEvidence.PHASE)
    back = by_name.get(RollBackEvidence.PHASE)
    moved_back = back is not None and "live" in decode_lenient(RollBackEvidence, back.evidence).moved
    return moved_back or _began(shift, "steps_taken") or _began(settings, "step")


def _began(record: PhaseRecord | None, cursor_field: str) -> bool:
    """Whether a step that changes what users have got beyond reading. cursor_field: set once it has."""
    if record is None or record.status in (PhaseStatus.SKIPPED, PhaseStatus.PENDING):
        return False
    return record.status is PhaseStatus.SUCCEEDED or bool(record.cursor.get(cursor_field))


def _first_broken(records: Sequence[PhaseRecord]) -> PhaseRecord | None:
    """The phase that failed first; else one that still says RUNNING, because its Lambda died."""
    failed = [record for record in records if record.status is PhaseStatus.FAILED]
    silent = [record for record in records if record.status is PhaseStatus.RUNNING]
    in_order = [*sorted(failed, key=lambda record: record.ended_at or ""), *silent]
    # The way back is the cause only when nothing before it was.
    return next((record for record in in_order if record.name not in _WAYS_BACK), next(iter(in_order), None))


def _roll_back(records: Sequence[PhaseRecord]) -> PhaseRecord | None:
    """The record of a roll_back that succeeded."""
    backs = (record for record in records if record.name == RollBackEvidence.PHASE)
    return next((record for record in backs if record.status is PhaseStatus.SUCCEEDED), None)


def _upgrade_reverted(records: Sequence[PhaseRecord]) -> bool:
    """Whether the control plane's stack was changed back."""
    named = (record for record in records if record.name == RevertUpgradeEvidence.PHASE)
    return any(decode_lenient(RevertUpgradeEvidence, record.evidence).reverted for record in named)


def _failure(action: Action, code: str, *, aborted: bool, went_back: bool) -> DeploymentStatus:
    """The status of a deployment that did not succeed. An abort that came too late to cause the failure is none."""
    if aborted and code == "Aborted":
        return DeploymentStatus.ABORTED
    if went_back and action is not Action.ROLLBACK:
        return DeploymentStatus.ROLLED_BACK
    return DeploymentStatus.FAILED


def _caught_error(caught: Mapping[str, str], phase: str) -> dict[str, str]:
    """The error that Step Functions caught, for a Lambda that could not record its own. phase: the one that ran."""
    name = str(caught.get("Error", "Unknown"))
    message = _message(str(caught.get("Cause", ""))) or f"the Lambda ended with {name}"
    return {
        "code": name,
        "message": f"{phase or 'the workflow'} ran out of time: {message}" if name in _TIMEOUTS else message,
        "remedy": _REMEDIES.get(name, "The log group /proxyctl/controlplane has the Lambda's last lines."),
    }


def _message(cause: str) -> str:
    """Lambda puts its error as JSON into the cause; other causes are plain text."""
    try:
        return str(json.loads(cause).get("errorMessage", cause))
    except (ValueError, AttributeError):
        return cause
