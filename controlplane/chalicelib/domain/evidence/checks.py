"""Evidence of validate_endpoints and validate_errors: how each check of the release ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Expectation:
    """One fact of an answer: the rule for it in words, its value in the answer, and whether that meets the rule."""

    expected: str = ""
    actual: str = ""
    met: bool = False


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check. verdict: `PASSED`, `FAILED` or `NOT RUN`; ms: how long its request took.

    reason: what was wrong, or why the check was not run. expected, request_id: of a failed check only. expectations:
    all of them, None in records of earlier versions and for a check that was not run.
    """

    name: str = ""
    verdict: str = ""
    ms: float = 0.0
    reason: str | None = None
    expected: tuple[str, ...] | None = None
    request_id: str | None = None
    expectations: tuple[Expectation, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChecksEvidence:
    """version: the function version under test; passed, failed, not_run: how many checks; checks: in their order."""

    PHASE: ClassVar[str]

    version: str = ""
    passed: int = 0
    failed: int = 0
    not_run: int = 0
    checks: tuple[CheckRow, ...] = ()


@dataclass(frozen=True, slots=True)
class EndpointsEvidence(ChecksEvidence):
    """The endpoints, used as clients use them."""

    PHASE: ClassVar[str] = "validate_endpoints"


@dataclass(frozen=True, slots=True)
class ErrorsEvidence(ChecksEvidence):
    """What clients get when a request or the upstream is at fault.

    release: digest of what all checks but that of the throttle depend on, "" in records of earlier versions. done_by:
    the earlier deployment of the same release that ran those checks, None otherwise.
    """

    PHASE: ClassVar[str] = "validate_errors"

    release: str = ""
    done_by: str | None = None
