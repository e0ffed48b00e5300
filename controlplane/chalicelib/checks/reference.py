"""The checks of phases 7 and 8 as a page of the docs: `docs/checks.md` is what this prints."""

from __future__ import annotations

from .endpoint_checks import Check, all_checks

_HEAD = """# What phases 7 and 8 check

Made from `checks/endpoint_checks.py` and `checks/fault_checks.py` by `python -m chalicelib.checks.reference`; a test
compares them. A check that lacks what it needs says NOT RUN and why; it never counts as passed. `$name` stands for what
is known at run time only.
"""


def markdown() -> str:
    """One table a phase."""
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
