"""No check rolls a release back because the provider is OpenAI, as its published description has it."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.checks.endpoint_checks import ENDPOINTS
from chalicelib.checks.error_checks import ERRORS
from chalicelib.checks.expectations import CheckVerdict
from chalicelib.checks.fault_checks import FAULTS
from chalicelib.checks.observe import run_all
from chalicelib.checks.target import locate

from tests.functional.phases.described_provider import described_provider
from tests.functional.phases.looks import looking, request_for
from tests.functional.phases.stage import stage

SECRET: dict[str, Any] = {
    "models": {"pictures-image": {"target": "gpt-image-1"}, "fast": {"target": "gpt-4o-mini"}},
    "cors_origins": ["https://app.example"],
    "timeouts": {"connect_s": 2, "first_byte_s": 5, "idle_s": 5, "total_s": 20},
}
NOT_RUN = {True: {"tool_call"}, False: set()}


@pytest.mark.parametrize("thinks", [False, True])
def test_every_check_passes_or_says_why_it_cannot_be_run(thinks: bool) -> None:
    with described_provider(thinks=thinks) as url, stage(url, **SECRET) as serving:
        aws = looking("").as_aws()
        outcomes = run_all((*ENDPOINTS, *ERRORS, *FAULTS), locate(request_for(serving), aws), aws)
    assert [outcome for outcome in outcomes if outcome.verdict is CheckVerdict.FAILED] == []
    planned = {check.name for check in FAULTS} | {"unknown_model", "public_health", "domain", "wrong_key", "no_key"}
    not_run = {outcome.name for outcome in outcomes if outcome.verdict is CheckVerdict.NOT_RUN}
    assert not_run == planned | NOT_RUN[thinks]
    assert all(outcome.reason for outcome in outcomes if outcome.name in not_run)
