"""What preflight found: every problem at once, each with its remedy, and how they read together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that stops the deployment (`blocks`), or one to know of."""

    check: str
    message: str
    remedy: str
    blocks: bool = True
    field: str = ""


def listed(findings: Iterable[Finding]) -> list[dict[str, str | bool]]:
    """For the record."""
    return [
        {"check": one.check, "message": one.message, "remedy": one.remedy, "blocks": one.blocks, "field": one.field}
        for one in findings
    ]


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.blocks]


def sentence(findings: Sequence[Finding]) -> str:
    """All of them in one line, the first in full."""
    told = "; ".join(finding.message for finding in findings[:5])
    more = f"; and {len(findings) - 5} more" if len(findings) > 5 else ""
    return f"{len(findings)} problem{'s' * (len(findings) != 1)}: {told}{more}"


_KEPT_UNRESERVED = 100  # Lambda keeps so many executions out of reach of reservations


def concurrency(
    total: int, unreserved: int, *, load_rps: float, request_s: float, workers: int, reserve: int | None
) -> list[Finding]:
    """Whether Lambda's concurrency suffices: for the load test (by Little's law, with as much again to spare), for its
    workers and the phase itself, and for what the proxy is to reserve."""
    found: list[Finding] = []
    needed = int(load_rps * request_s * 2) + workers + 2
    if needed > unreserved:
        found.append(
            Finding(
                "quotas",
                f"the load test needs about {needed} concurrent executions; {unreserved} of {total} are free for all",
                "Lower options.load, or ask for more (Service Quotas, Lambda, Concurrent executions).",
                field="options.load.rps",
            )
        )
    if reserve is not None and unreserved - reserve < _KEPT_UNRESERVED:
        found.append(
            Finding(
                "quotas",
                f"config.reserved_concurrency {reserve} would leave {unreserved - reserve} of {total} unreserved;"
                f" Lambda keeps {_KEPT_UNRESERVED}",
                "Lower it, or ask for more (Service Quotas, Lambda, Concurrent executions).",
                field="config.reserved_concurrency",
            )
        )
    return found
