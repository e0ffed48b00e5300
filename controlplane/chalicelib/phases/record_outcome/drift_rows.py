"""The differences that a revalidation found, as an environment's history and its incidents keep them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.evidence.drift import DRIFT, DriftEvidence, DriftFinding
from chalicelib.domain.model import PhaseRecord
from chalicelib.domain.records import DriftRow

MOST = 10  # differences that are kept; the evidence of the deployment has all
_LONGEST = 300  # characters of each text


def drift_rows(recorded: Sequence[PhaseRecord]) -> tuple[DriftRow, ...]:
    """What was healed, then what is left; not what is only of note."""
    written = next((record.evidence for record in recorded if record.name == DriftEvidence.PHASE), {})
    evidence = decode_lenient(DriftEvidence, dict(written))
    healed = [_row(finding, healed=True) for finding in evidence.repaired if finding.severity == DRIFT]
    left = [_row(finding, healed=False) for finding in evidence.findings if finding.severity == DRIFT]
    return (*healed, *left)[:MOST]


def _row(finding: DriftFinding, *, healed: bool) -> DriftRow:
    texts = (finding.where, finding.expected, finding.found)
    where, expected, actual = (text[:_LONGEST] for text in texts)
    return DriftRow(where, expected, actual, healed, "" if healed else finding.remedy[:_LONGEST])
