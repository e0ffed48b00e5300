"""A dataclass may name JSON keys that are no Python names."""

from __future__ import annotations

from chalicelib.domain.codec import decode_lenient, encode, schemas_of
from chalicelib.domain.evidence.handoff import HandoffEvidence

EVIDENCE = HandoffEvidence(links={"api": "u"}, bytes={"handoff.md": 3}, handoff_md="reports/d/handoff.md")


def test_keys_are_written_and_read() -> None:
    plain = encode(EVIDENCE)
    assert plain["handoff.md"] == "reports/d/handoff.md"
    assert "handoff_md" not in plain
    assert decode_lenient(HandoffEvidence, plain) == EVIDENCE


def test_fields_with_their_defaults_are_left_out_of_a_partial_record() -> None:
    assert set(encode(EVIDENCE, partial=True)) == {"links", "bytes", "handoff.md"}


def test_the_schema_has_the_keys() -> None:
    schema = schemas_of([HandoffEvidence], "#/{name}")["HandoffEvidence"]
    assert set(schema["properties"]) == {"links", "bytes", "report.html", "handoff.md"}
