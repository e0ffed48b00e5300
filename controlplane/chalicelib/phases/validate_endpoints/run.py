"""Phase 7: the release, used as its users will, with the official OpenAI SDK. The checks are `core/checks.py`."""

from __future__ import annotations

from chalicelib.checks.conclude import concluded
from chalicelib.checks.endpoint_checks import ENDPOINTS
from chalicelib.checks.observe import run_all
from chalicelib.checks.target import locate, release_fingerprint
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws


def fingerprint(request: Request, aws: Aws) -> str:
    return release_fingerprint(request)


def run(request: Request, aws: Aws) -> Result:
    """Evidence: `checks` (name, verdict, ms, reason), `passed`, `failed`, `not_run`. Raises PhaseFailed."""
    target = locate(request, aws)
    return concluded("endpoint", run_all(ENDPOINTS, target, aws), target.version)


PHASE = Definition(run, dict, fingerprint=fingerprint)
