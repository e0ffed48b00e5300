"""What both documents say of a deployment's end: verdict, cause, users, and who wanted it and why."""

from __future__ import annotations

from chalicelib.domain.model import FinishedRun


def ending_rows(run: FinishedRun) -> list[tuple[str, str]]:
    """(name, text) of each fact; facts that do not apply are left out."""
    deployment, error = run.deployment, run.error or {}
    rows = [
        ("status", run.status.value),
        ("action", deployment.action.value),
        ("summary", run.summary),
        ("cause", f"{error['code']}: {error['message']}" if error else ""),
        ("field", error.get("field", "")),
        ("remedy", error.get("remedy", "")),
        ("users", run.users),
        ("started by", deployment.caller),
        ("reason", deployment.options.reason),
        ("approved by", run.approver),
        ("requested", deployment.created_at),
        ("ended", run.at),
        ("resumes", deployment.resumes),
    ]
    return [(name, text) for name, text in rows if text]
