"""Phase 7: calls each endpoint of the release as clients do, with the official OpenAI SDK.

The checks are data: `checks/endpoint_checks.py`.
"""

from __future__ import annotations

from chalicelib.checks.conclude import conclude
from chalicelib.checks.endpoint_checks import ENDPOINTS
from chalicelib.checks.observe import run_all
from chalicelib.checks.target import felt_throttle, locate, release_fingerprint, within_limits
from chalicelib.domain.evidence.checks import EndpointsEvidence
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

_MOST_PER_S = 20  # requests that these checks send


def fingerprint(request: Request, aws: Aws) -> str:
    """The release, and the throttle where it is low enough for these checks to feel it."""
    return release_fingerprint(request, felt_throttle(request, _MOST_PER_S))


def run(request: Request, aws: Aws) -> Result[EndpointsEvidence]:
    """Run all checks. Raises PhaseFailed: NothingToTest, CheckFailed."""
    target = within_limits(locate(request, aws), request, aws)
    return conclude(EndpointsEvidence, "endpoint", run_all(ENDPOINTS, target, aws), target.version)


PHASE = Definition(run, EndpointsEvidence, fingerprint=fingerprint)
