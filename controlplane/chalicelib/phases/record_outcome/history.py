"""A deployment's entry in its environment's history: who did what and why, and what differs from the last release."""

from __future__ import annotations

import dataclasses

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.release import ReleaseEvidence, ShiftEvidence
from chalicelib.domain.model import Deployment
from chalicelib.domain.records import DriftRow, HistoryEntry
from chalicelib.engine.phase import Request

from .outcome import Outcome


def entry(
    request: Request,
    deployment: Deployment,
    outcome: Outcome,
    at: str,
    *,
    saw_it: bool,
    drift: tuple[DriftRow, ...] = (),
    usd: float | None = None,
) -> HistoryEntry:
    """at: when the deployment ends, ISO 8601; saw_it: whether users reached what it released; drift: what it found;
    usd: what the deployment cost.

    A failure counts as a change, since it may have changed something.
    """
    shift = request.results.find(ShiftEvidence)
    shifted = shift is not None and (shift.from_version is not None or bool(shift.secret_version))
    return HistoryEntry(
        at=at,
        deployment_id=request.deployment_id,
        action=request.action.value,
        outcome=outcome.status.value,
        summary=outcome.summary,
        who=deployment.caller,
        why=request.options.reason,
        requested_at=deployment.created_at,
        changed=shifted or saw_it or not outcome.is_good,
        users_saw_it=saw_it and not outcome.is_good,
        diff=diff(request),
        drift=drift,
        usd=usd,
    )


def diff(request: Request) -> dict[str, list[object]]:
    """`{field: [before, now]}` for each field of the configuration, and the version, that differs from the last good
    release's; {} for an action that deploys nothing."""
    good = request.environment.last_good
    if not request.action.deploys or good is None:
        return {}
    # What only another version of the control plane understands is no change of anybody's.
    before, now = _plain(decode_lenient(Config, good.config)), _plain(request.config)
    # A field that the last good release lacks is younger than that release: nobody changed it.
    differing = {
        name: [before[name], value] for name, value in now.items() if name in good.config and value != before[name]
    }
    release = request.results.find(ReleaseEvidence)
    if release and release.version != good.version:
        differing["version"] = [good.version, release.version]
    return differing


def _plain(config: Config) -> dict[str, object]:
    """As a record holds it: a list for a tuple."""
    fields = dataclasses.asdict(config)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
