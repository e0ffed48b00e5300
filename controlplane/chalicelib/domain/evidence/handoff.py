"""Evidence of write_handoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class HandoffEvidence:
    """links: URL by name. handoff_md: key of the document in the control plane's bucket; bytes: its size by its name.

    report_html: the same of the report in records of earlier versions, else "": the step that ends a deployment writes
    it.
    """

    PHASE: ClassVar[str] = "write_handoff"
    KEYS: ClassVar[Mapping[str, str]] = {"report_html": "report.html", "handoff_md": "handoff.md"}

    links: Mapping[str, str] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)
    report_html: str = ""
    handoff_md: str = ""
