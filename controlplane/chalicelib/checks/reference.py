"""The checks as a page of the docs: `docs/checks.md` is what this module prints."""

from __future__ import annotations

from collections.abc import Mapping

from .check import Check
from .endpoint_checks import ENDPOINTS
from .error_checks import ERRORS
from .fault_checks import FAULTS, THROTTLED

_HEAD = """# What validate_endpoints and validate_errors check

`python -m chalicelib.checks.reference` prints this page from `checks/endpoint_checks.py`, `checks/error_checks.py` and
`checks/fault_checks.py`; a test compares them. A check that lacks what it needs says NOT RUN, and why; it never counts
as passed. `$name` stands for a value that is known at run time only.
"""


def all_checks() -> Mapping[str, tuple[Check, ...]]:
    """All checks by phase."""
    return {"validate_endpoints": ENDPOINTS, "validate_errors": (*ERRORS, *FAULTS, THROTTLED)}


def markdown() -> str:
    """The page, with one table a phase."""
    parts = [_HEAD]
    for phase, checks in all_checks().items():
        parts.append(f"\n## {phase}\n\n| check | proves | expects | faults planted | needs |\n|---|---|---|---|---|\n")
        parts += [_row(check) for check in checks]
    return "".join(parts)


def _row(check: Check) -> str:
    expects = "; ".join(str(expect) for expect in check.expects)
    faults = "; ".join(" ".join(f"{name}={value}" for name, value in fault.items()) for fault in check.faults)
    cells = (f"`{check.name}`", check.proves, expects, faults or "—", ", ".join(check.needs) or "—")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
