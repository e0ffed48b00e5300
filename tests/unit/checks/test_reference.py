"""The docs print the checks that are run."""

from __future__ import annotations

from pathlib import Path

from chalicelib.checks.reference import markdown

ROOT = Path(__file__).resolve().parents[3]


def test_the_docs_page_is_the_table_of_the_code() -> None:
    """When it fails: PYTHONPATH=controlplane python -m chalicelib.checks.reference > docs/checks.md"""
    assert (ROOT / "docs" / "checks.md").read_text() == markdown()
