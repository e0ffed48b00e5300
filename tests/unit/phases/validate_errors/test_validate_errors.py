"""Phase 8: what cannot be seen here says so, and what is wrong stops the rollout."""

from __future__ import annotations

import pytest
from chalicelib.checks.conclude import concluded
from chalicelib.checks.expectations import Outcome, Verdict, not_run
from chalicelib.domain.errors import PhaseFailed
from chalicelib.phases.validate_errors import run as validate_errors

from tests.fakes import FakeAws
from tests.fakes.requests import request

GOOD = Outcome("unknown_path", Verdict.PASSED, 1.0)
BAD = Outcome("wrong_key", Verdict.FAILED, 1.0, "status is 200", ["status is 401"], {"status": 200}, "r-1")
IDLE = not_run("upstream_500", "no upstream here can be told to fail")


def test_what_was_not_run_is_counted_and_named_but_not_as_passed() -> None:
    result = concluded("error", [GOOD, IDLE], "7")
    assert (result.evidence["passed"], result.evidence["not_run"]) == (1, 1)
    assert result.summary == "1 of 2 error checks passed on version 7; NOT RUN: upstream_500"


def test_one_failed_check_fails_the_phase_and_tells_where_to_look() -> None:
    with pytest.raises(PhaseFailed) as raised:
        concluded("error", [GOOD, BAD, IDLE], "7")
    assert raised.value.message == "1 of 3 error checks failed on version 7: wrong_key: status is 200"
    assert "status is 401" in str(raised.value.remedy)
    assert "r-1" in str(raised.value.remedy)
    assert len(raised.value.evidence["checks"]) == 3


def test_an_environment_without_an_api_has_nothing_to_test() -> None:
    with pytest.raises(PhaseFailed, match="no API yet"):
        validate_errors.run(request(), FakeAws().as_aws())


def test_the_phase_is_skipped_for_the_same_release_only() -> None:
    aws = FakeAws().as_aws()
    one = request(results={"release_code": {"version": "1"}})
    two = request(results={"release_code": {"version": "2"}})
    assert validate_errors.fingerprint(one, aws) == validate_errors.fingerprint(one, aws)
    assert validate_errors.fingerprint(one, aws) != validate_errors.fingerprint(two, aws)
