"""How findings read together: which of them stop the deployment, and the sentence that names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.domain.evidence.preflight import Finding, Simulated

_IN_FULL = 5  # findings that a sentence quotes before it only counts them


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop the deployment."""
    return [finding for finding in findings if finding.blocks]


def problems(findings: Sequence[Finding]) -> str:
    """`2 problems: …; …`, with the first five in full."""
    return f"{len(findings)} problem{_plural(findings)}: {_quoted(findings)}"


def passed(simulated: Simulated, warnings: Sequence[Finding]) -> str:
    """The summary of a preflight without a blocking finding."""
    summary = f"Preflight OK: {simulated.actions} actions of {simulated.roles} roles checked"
    if simulated.by_text:
        summary += f", {len(simulated.by_text)} of them by the text of their policy"
    return f"{summary}. {len(warnings)} warning{_plural(warnings)}: {_quoted(warnings)}" if warnings else summary


def _quoted(findings: Sequence[Finding]) -> str:
    more = f"; and {len(findings) - _IN_FULL} more" if len(findings) > _IN_FULL else ""
    return "; ".join(finding.message for finding in findings[:_IN_FULL]) + more


def _plural(findings: Sequence[Finding]) -> str:
    return "s" * (len(findings) != 1)
