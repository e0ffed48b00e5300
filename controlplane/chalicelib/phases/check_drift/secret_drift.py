"""Drift of the secret: missing, malformed, or rotated since the last deployment."""

from __future__ import annotations

from chalicelib.domain.evidence.drift import INFO, DriftFinding

_STORE = "Store a good one: python -m ctl secret set, or PUT /environments/{name}/secret."


def missing(name: str, reason: str) -> DriftFinding:
    """There is no current value to check. reason: such as `gone`."""
    return DriftFinding("secret", name, "there", reason, _STORE)


def doomed(name: str) -> DriftFinding:
    """The secret's deletion is scheduled, which can be cancelled."""
    remedy = "Revalidate with options.heal, or deploy: both cancel the deletion."
    return DriftFinding("secret", name, "there", "scheduled for deletion", remedy, heals=True)


def findings(name: str, current: str, applied: str, problem: str) -> list[DriftFinding]:
    """A finding for a malformed or a rotated secret.

    current, applied: version ids, now and when prepare_secret last ran. problem: the schema's message about the current
    version, "" when it is valid. A secret is never healed: only a person can store a valid key.
    """
    if problem:
        return [DriftFinding("secret", name, f"well-formed, as version {applied} was", f"malformed: {problem}", _STORE)]
    if current != applied:
        remedy = "Nothing to do: the proxy reads the new version by itself, and the next deployment records it."
        return [DriftFinding("secret", name, f"version {applied}", f"version {current}, rotated since", remedy, INFO)]
    return []
