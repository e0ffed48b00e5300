"""How a deployment ended, from what its phases recorded and what the state machine caught."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.model import Action, DeploymentStatus, PhaseRecord, PhaseStatus

# Phases that act on the world; when all of them had nothing to do, the whole deployment was a no-op.
_ACTING = ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code")

_AGAIN = "POST /deployments/{id}/resume goes on from where it ended."
_REMEDIES = {"ExecutionStopped": _AGAIN, "Aborted": _AGAIN}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`broken`: the record of the phase that ended it, corrected where its Lambda died without a word."""

    status: DeploymentStatus
    summary: str
    error: Mapping[str, str] | None = None
    broken: PhaseRecord | None = None


def outcome_of(
    action: Action,
    recorded: Sequence[PhaseRecord],
    caught: Mapping[str, str] | None,
    *,
    aborted: bool,
    changed: Collection[str] = (),
    current: str = "",
) -> Outcome:
    """SUCCEEDED, FAILED, ROLLED_BACK (a failure after which aliases were moved back) or ABORTED.

    changed: fields of the configuration that this deployment asked for otherwise than the last good one. current: the
    phase that began last, to name where it ended when no phase says so itself.
    """
    others = [record for record in recorded if record.name != "record_outcome"]
    failed = [record for record in others if record.status is PhaseStatus.FAILED]
    if not caught and not failed:
        return Outcome(DeploymentStatus.SUCCEEDED, _good(action, others, changed))
    broken = _first_broken(others, failed)
    error = dict(broken.error) if broken and broken.error else _told_by(caught)
    where = f"in {broken.name}" if broken else f"after {current}" if current else "in the workflow"
    back = next((record for record in others if record.name == "roll_back"), None)
    went_back = back is not None and back is not broken and back.status is PhaseStatus.SUCCEEDED
    if aborted and error.get("code") == "Aborted":
        status, verb = DeploymentStatus.ABORTED, "was stopped"
    else:
        taken_back = went_back and action is not Action.ROLLBACK
        status = DeploymentStatus.ROLLED_BACK if taken_back else DeploymentStatus.FAILED
        verb = "failed"
    summary = f"{action.value.capitalize()} {verb} {where}: {error['message']}"
    if went_back and back:
        summary += f". {back.summary}"
    return Outcome(status, summary, error, broken)


def _first_broken(others: Sequence[PhaseRecord], failed: Sequence[PhaseRecord]) -> PhaseRecord | None:
    """What failed first; else what still says RUNNING: its Lambda died before it could tell."""
    told = sorted(failed, key=lambda record: record.ended_at or "")
    silent = [record for record in others if record.status is PhaseStatus.RUNNING]
    return next(iter(told or silent), None)


def _told_by(caught: Mapping[str, str] | None) -> dict[str, str]:
    """The error that Step Functions caught, for a Lambda that could not record its own."""
    caught = caught or {}
    name = str(caught.get("Error", "Unknown"))
    cause = str(caught.get("Cause", ""))
    try:
        message = str(json.loads(cause).get("errorMessage", cause))
    except (ValueError, AttributeError):
        message = cause
    return {
        "code": name,
        "message": message or f"the Lambda ended with {name}",
        "remedy": _REMEDIES.get(name, "The log group /proxyctl/controlplane has the Lambda's last lines."),
    }


def _good(action: Action, others: Sequence[PhaseRecord], changed: Collection[str]) -> str:
    found = {record.name: record for record in others}
    if action is Action.DEPLOY:
        if all(name in found and found[name].status is PhaseStatus.SKIPPED for name in _ACTING):
            if changed:
                return f"Kept on record: {', '.join(sorted(changed))}; the environment already runs this release"
            return "No change: the environment already runs this release"
        version = found["release_code"].evidence.get("version", "?") if "release_code" in found else "?"
        return f"Version {version} serves all traffic"
    if action is Action.PLAN:
        return found["make_plan"].summary if "make_plan" in found else "Planned"
    if action is Action.ROLLBACK:
        told = [found[name].summary for name in ("roll_back", "restore_settings") if name in found]
        return ". ".join(told) or "Rolled back"
    if action is Action.CLEANUP:
        return found["clean_up"].summary if "clean_up" in found else "Cleaned up"
    if action is Action.DRILL:
        return found["run_drill"].summary if "run_drill" in found else "Drilled"
    return "Everything that was checked is as it should be"
