"""Facts about drift of the secret: a malformed or missing secret is drift, a rotated one is a note."""

from __future__ import annotations

from chalicelib.domain.evidence.drift import DRIFT, INFO
from chalicelib.phases.check_drift import secret_drift


def test_a_rotated_key_is_a_note_and_a_malformed_or_missing_secret_is_drift() -> None:
    assert secret_drift.findings("s", "v1", "v1", "") == []
    assert [finding.severity for finding in secret_drift.findings("s", "v2", "v1", "")] == [INFO]
    assert [finding.severity for finding in secret_drift.findings("s", "v2", "v1", "api_key is missing")] == [DRIFT]
    assert secret_drift.missing("s", "gone").severity == DRIFT


def test_what_only_a_person_can_store_is_never_healed() -> None:
    findings = [*secret_drift.findings("s", "v2", "v1", "api_key is missing"), secret_drift.missing("s", "gone")]
    assert [finding.heals for finding in findings] == [False, False]


def test_a_scheduled_deletion_is_cancelled_by_healing() -> None:
    finding = secret_drift.doomed("s")
    assert (finding.severity, finding.heals) == (DRIFT, True)
