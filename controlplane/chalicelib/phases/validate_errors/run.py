"""Phase 8: what happens when things go wrong. The checks are `core/checks.py` and `core/fault_checks.py`."""

from __future__ import annotations

from chalicelib.checks.conclude import concluded
from chalicelib.checks.endpoint_checks import ERRORS
from chalicelib.checks.fault_checks import FAULTS
from chalicelib.checks.observe import run_all
from chalicelib.checks.target import locate, release_fingerprint
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws


def fingerprint(request: Request, aws: Aws) -> str:
    return release_fingerprint(request)


def run(request: Request, aws: Aws) -> Result:
    """Evidence as in phase 7. Throttling comes last and alone: it would refuse the others' requests."""
    # On first use: only the Lambdas that drive load carry uvloop and httptools.
    from chalicelib.checks import throttle

    target = locate(request, aws)
    outcomes = run_all((*ERRORS, *FAULTS), target, aws)
    outcomes.append(throttle.run(request.config.throttle, target, aws))
    return concluded("error", outcomes, target.version)


PHASE = Definition(run, dict, fingerprint=fingerprint)
