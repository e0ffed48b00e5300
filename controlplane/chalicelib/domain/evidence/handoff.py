"""Evidence of write_handoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class HandoffEvidence:
    """links: URL by name. report_html, handoff_md: keys of the documents in the control plane's bucket.

    bytes: size by the document's name.
    """

    PHASE: ClassVar[str] = "write_handoff"
    KEYS: ClassVar[Mapping[str, str]] = {"report_html": "report.html", "handoff_md": "handoff.md"}

    links: Mapping[str, str] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)
    report_html: str = ""
    handoff_md: str = ""
