"""The result of a night in which every live environment was revalidated: a verdict each, and their counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

CALLER = "proxyctl-nightly"


class NightVerdict(StrEnum):
    """HEALED: it had drifted, and is good again. LOST: the environment was listed, and no verdict is on record."""

    GOOD = "good"
    HEALED = "healed"
    DRIFTED = "drifted"
    FAILED = "failed"
    BUSY = "busy"
    LOST = "lost"


# Environments that a summary names for each verdict: it is one item of at most 400 KB, and 100 of them are one answer
# of at most 6 MB. The counts are of all.
MOST_NAMED = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one environment. deployment_id: "" where no revalidation was started."""

    environment: str = ""
    verdict: NightVerdict = NightVerdict.LOST
    deployment_id: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class NightSummary:
    """Environments by verdict. asked: all that were listed; started: those with a revalidation; good: with the healed
    ones, which had drifted and were put back.

    which: per verdict other than good, deployment IDs by environment, of the first 500 by name. night: the date on
    which it was due (ISO 8601). error: what the state machine caught when the night itself failed.
    """

    asked: int = 0
    started: int = 0
    good: int = 0
    healed: int = 0
    drifted: int = 0
    failed: int = 0
    busy: int = 0
    lost: int = 0
    which: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    night: str = ""
    began_at: str = ""
    ended_at: str = ""
    error: Mapping[str, str] | None = None


def summarize(names: Sequence[str], checked: Sequence[Checked]) -> NightSummary:
    """Counts the verdicts of the environments `names`; those without one on record are LOST."""
    recorded = {check.environment: check for check in checked}
    checks = [recorded.get(name) or Checked(name) for name in names]
    by_verdict = {
        verdict.value: {check.environment: check.deployment_id for check in checks if check.verdict is verdict}
        for verdict in NightVerdict
    }
    return NightSummary(
        asked=len(checks),
        started=sum(bool(check.deployment_id) for check in checks),
        good=len(by_verdict[NightVerdict.GOOD]) + len(by_verdict[NightVerdict.HEALED]),
        healed=len(by_verdict[NightVerdict.HEALED]),
        drifted=len(by_verdict[NightVerdict.DRIFTED]),
        failed=len(by_verdict[NightVerdict.FAILED]),
        busy=len(by_verdict[NightVerdict.BUSY]),
        lost=len(by_verdict[NightVerdict.LOST]),
        which={name: _first(listed) for name, listed in by_verdict.items() if listed and name != NightVerdict.GOOD},
    )


def _first(listed: Mapping[str, str]) -> dict[str, str]:
    return dict(list(listed.items())[:MOST_NAMED])
