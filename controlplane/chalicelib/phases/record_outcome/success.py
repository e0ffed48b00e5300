"""The summary of a deployment that succeeded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.model import Action, PhaseRecord, PhaseStatus

# The phases that change the environment. When all of them were skipped, the deployment changed nothing.
_ACTING = ("prepare_secret", "package_artifact", "deploy_stack", "configure_monitoring", "release_code")
# Steps whose summaries are the deployment's, by action, and the summary without a record of them.
_STEPS: Mapping[Action, tuple[tuple[str, ...], str]] = {
    Action.PLAN: (("make_plan",), "Planned"),
    Action.ROTATE: (("shift_traffic",), "Rotated"),
    Action.ROLLBACK: (("roll_back", "restore_settings"), "Rolled back"),
    Action.CLEANUP: (("clean_up",), "Cleaned up"),
    Action.DRILL: (("run_drill",), "Drilled"),
    Action.UPGRADE: (("verify_upgrade",), "The release serves already; nothing to change"),
    Action.REVALIDATE: ((), "All checks passed"),
}


def summary(action: Action, records: Sequence[PhaseRecord], changed: Collection[str]) -> str:
    """One sentence. changed: fields of the configuration that differ from the last good release's."""
    by_name = {record.name: record for record in records}
    if action.deploys:
        return _deploy(by_name, changed)
    steps, default = _STEPS[action]
    return ". ".join(by_name[step].summary for step in steps if step in by_name) or default


def _deploy(records: Mapping[str, PhaseRecord], changed: Collection[str]) -> str:
    if not all(name in records and records[name].status is PhaseStatus.SKIPPED for name in _ACTING):
        return f"Version {_version(records)} serves all traffic"
    runs = "the environment already runs this release"
    return f"Kept on record: {', '.join(sorted(changed))}; {runs}" if changed else f"No change: {runs}"


def _version(records: Mapping[str, PhaseRecord]) -> str:
    record = records.get(ReleaseEvidence.PHASE)
    version = decode_lenient(ReleaseEvidence, record.evidence).version if record else ""
    return version or "?"
