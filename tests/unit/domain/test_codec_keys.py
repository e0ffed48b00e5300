"""A dataclass may name JSON keys that are no Python names, and a mapping may hold dataclasses."""

from __future__ import annotations

from chalicelib.domain.codec import decode_lenient, encode, schemas_of
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.load import LoadEvidence, Percentiles

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


def test_the_keys_of_a_mapping_are_not_taken_for_fields_of_its_values() -> None:
    evidence = LoadEvidence(split_ms={"proxy": Percentiles(p50=0.2)})
    assert decode_lenient(LoadEvidence, encode(evidence)) == evidence
    newer = {"split_ms": {"proxy": {"p50": 0.2, "p75": 0.3}}}
    assert decode_lenient(LoadEvidence, newer).split_ms == {"proxy": Percentiles(p50=0.2)}
