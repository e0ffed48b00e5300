"""The drift that a revalidation found, as history and incidents keep it: bounded, and what was healed first."""

from __future__ import annotations

from chalicelib.domain.codec import encode
from chalicelib.domain.evidence.drift import INFO, DriftEvidence, DriftFinding
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.domain.records import DriftRow
from chalicelib.phases.record_outcome.drift_rows import MOST, drift_rows


def record(*findings: DriftFinding, repaired: tuple[DriftFinding, ...] = ()) -> PhaseRecord:
    evidence = encode(DriftEvidence(findings=findings, repaired=repaired))
    return PhaseRecord(0, "check_drift", PhaseStatus.FAILED, evidence=evidence)


def finding(where: str = "a", **other: str) -> DriftFinding:
    return DriftFinding("alarm", where, "there", "gone", "Deploy.", **other)  # type: ignore[arg-type]


def test_what_was_healed_comes_first_and_has_no_remedy() -> None:
    rows = drift_rows([record(finding("b"), repaired=(finding("a"),))])
    assert rows == (DriftRow("a", "there", "gone", True), DriftRow("b", "there", "gone", False, "Deploy."))


def test_what_is_only_of_note_is_no_drift() -> None:
    assert drift_rows([record(finding(severity=INFO))]) == ()


def test_ten_rows_of_three_hundred_characters_are_kept() -> None:
    (*_, last) = rows = drift_rows([record(*(finding(str(number) * 400) for number in range(12)))])
    assert (len(rows), len(last.where)) == (MOST, 300)


def test_a_deployment_that_did_not_look_and_a_record_of_an_earlier_version_have_none() -> None:
    assert drift_rows([]) == ()
    assert drift_rows([PhaseRecord(0, "check_drift", PhaseStatus.SKIPPED, evidence={"healed": ["x"]})]) == ()
