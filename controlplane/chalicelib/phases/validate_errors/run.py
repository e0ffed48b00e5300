"""Phase 8: checks what clients get when their request or the upstream is at fault, and the throttle.

The checks are data: `checks/error_checks.py` and `checks/fault_checks.py`.
"""

from __future__ import annotations

from chalicelib.checks import stand_in
from chalicelib.checks.conclude import conclude
from chalicelib.checks.error_checks import ERRORS
from chalicelib.checks.fault_checks import FAULTS
from chalicelib.checks.observe import run_all
from chalicelib.checks.target import locate, release_fingerprint
from chalicelib.domain.evidence.checks import ErrorsEvidence
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws


def fingerprint(request: Request, aws: Aws) -> str:
    """The release, the settings that it runs with, and the address of the stand-in that faults are planted in."""
    return release_fingerprint(request, aws.settings.upstream_faults_url)


def run(request: Request, aws: Aws) -> Result[ErrorsEvidence]:
    """Run all checks, the throttle last and alone: its 429s would hit the others. Raises PhaseFailed: NothingToTest,
    CheckFailed."""
    # Imported on first use: only the Lambdas that drive load carry uvloop and httptools.
    from chalicelib.checks import throttle

    target = stand_in.established(locate(request, aws), aws)
    outcomes = run_all((*ERRORS, *FAULTS), target, aws)
    outcomes.append(throttle.drive(request.config.throttle, target, aws))
    return conclude(ErrorsEvidence, "error", outcomes, target.version)


PHASE = Definition(run, ErrorsEvidence, fingerprint=fingerprint)
