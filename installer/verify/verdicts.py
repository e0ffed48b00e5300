"""Verdicts and how they are told: a line each, and a JSON file without account ids that one may attach to an issue."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_API_ID = re.compile(r"https://[a-z0-9]{10}\.")


class Outcome(StrEnum):
    """NOT_RUN: not seen here; the detail says why."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Verdict:
    """What was seen of one row."""

    outcome: Outcome
    detail: str


@dataclass(frozen=True)
class Result:
    """key: of the row, or of the step. mend: the setting that avoids what failed."""

    key: str
    outcome: Outcome
    detail: str
    mend: str = ""


def passed(detail: str) -> Verdict:
    """Seen as it must be."""
    return Verdict(Outcome.PASSED, detail)


def failed(detail: str) -> Verdict:
    """Seen, and not as it must be."""
    return Verdict(Outcome.FAILED, detail)


def not_run(why: str) -> Verdict:
    """Not seen."""
    return Verdict(Outcome.NOT_RUN, why)


def line(result: Result) -> str:
    """One verdict for the terminal."""
    mend = f"; switch: {result.mend}" if result.outcome is Outcome.FAILED and result.mend else ""
    return f"{result.outcome.value:<8} {result.key:<24} {result.detail}{mend}"


def summary(results: Sequence[Result]) -> str:
    """How many of each."""
    counts = {outcome: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    return ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())


def report(results: Sequence[Result], about: dict[str, object]) -> str:
    """JSON. about: region, versions, times; account ids and API ids are replaced."""
    document = about | {"results": [asdict(result) for result in results]}
    return masked(json.dumps(document, indent=1, default=str)) + "\n"


def masked(text: str) -> str:
    """The text without account ids and API ids."""
    return _API_ID.sub("https://API.", _ACCOUNT.sub("ACCOUNT", text))
