"""Phase 7: the release, used as its users will, with the official OpenAI SDK. The checks are `core/checks.py`."""

from __future__ import annotations

from ..core.checks import ENDPOINTS
from ..core.contract import Request, Result
from ..core.verdicts import concluded
from ..ports import Aws
from ..probes.observe import run_all
from ..probes.target import locate, release_fingerprint


def fingerprint(request: Request, aws: Aws) -> str:
    return release_fingerprint(request)


def run(request: Request, aws: Aws) -> Result:
    """Evidence: `checks` (name, verdict, ms, reason), `passed`, `failed`, `not_run`. Raises PhaseFailed."""
    target = locate(request, aws)
    return concluded("endpoint", run_all(ENDPOINTS, target, aws), target.version)
