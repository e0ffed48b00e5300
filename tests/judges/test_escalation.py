"""Every power that the walker of policies finds and the project accepts stands in SECURITY.md."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = yaml.safe_load((ROOT / "judges" / "accepted" / "escalation.yaml").read_text())
ROWS = re.findall(r"^\| \*\*(\w+)\*\* \|", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)


def test_every_accepted_power_has_a_row_in_security_md() -> None:
    named = {entry["source"] for entry in ACCEPTED}
    assert named <= {f"SECURITY.md, row {row}" for row in ROWS}
    assert len(ROWS) == len(set(ROWS))


def test_no_accepted_power_is_a_pattern_for_every_role_and_every_power() -> None:
    assert all(entry["finding"].strip("*: ") for entry in ACCEPTED)
