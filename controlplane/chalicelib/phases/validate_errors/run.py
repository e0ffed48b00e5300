"""Phase 8: checks what clients get when their request or the upstream is at fault, and the throttle.

The checks are data: `checks/error_checks.py` and `checks/fault_checks.py`.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.checks import stand_in
from chalicelib.checks.conclude import conclude
from chalicelib.checks.error_checks import ERRORS
from chalicelib.checks.fault_checks import FAULTS
from chalicelib.checks.target import locate, release_fingerprint, within_limits
from chalicelib.domain.evidence.checks import ErrorsEvidence
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import reuse
from .run_beside import run_beside


def fingerprint(request: Request, aws: Aws) -> str:
    """The release, its throttle, and the address of the stand-in that faults are planted in."""
    return release_fingerprint(request, request.config.throttle, aws.settings.upstream_faults_url)


def run(request: Request, aws: Aws) -> Result[ErrorsEvidence]:
    """Run all checks; only that of the throttle when another deployment of the same release has passed all others.

    Raises PhaseFailed: NothingToTest, CheckFailed.
    """
    # Imported on first use: only the Lambdas that drive load carry uvloop and httptools.
    from chalicelib.checks import throttle

    release = release_fingerprint(request, aws.settings.upstream_faults_url)
    target = stand_in.established(within_limits(locate(request, aws), request, aws), aws)
    if before := reuse.passed_before(request, release):
        alone = conclude(
            ErrorsEvidence, "error", [throttle.drive(request.config.throttle, target, aws)], target.version
        )
        return reuse.together(alone, before)
    outcomes = run_beside((*ERRORS, *FAULTS), target, aws, lambda: throttle.drive(request.config.throttle, target, aws))
    result = conclude(ErrorsEvidence, "error", outcomes, target.version)
    return replace(result, evidence=replace(result.evidence or ErrorsEvidence(), release=release))


PHASE = Definition(run, ErrorsEvidence, fingerprint=fingerprint)
