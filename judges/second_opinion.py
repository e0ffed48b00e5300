"""parliament on the same policies: other code, another copy of AWS's data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from installer import environment
from judges.documents import ROOT, Document

_SCRIPT = Path(__file__).resolve().parent / "inside" / "run_parliament.py"
TIMEOUT_S = 120


def python() -> Path:
    """The interpreter of the judges' own environment, which is made when it is not there yet."""
    environment.ensure(ROOT, environment.JUDGES)
    return environment.python_of(ROOT, environment.JUDGES)


def findings(documents: Iterable[Document], interpreter: Path | None = None) -> list[str]:
    """parliament's findings on identity and resource policies; a trust policy's missing Resource is no finding."""
    bodies = {document.owner: document.body for document in documents if document.kind != "trust"}
    done = subprocess.run(  # noqa: S603 - fixed command
        [str(interpreter or python()), str(_SCRIPT)],
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    lines: list[str] = json.loads(done.stdout)
    return lines
