"""Phase 8: what cannot be seen here says so, and what is wrong stops the rollout."""

from __future__ import annotations

import pytest
from chalicelib.checks.conclude import conclude
from chalicelib.checks.expectations import CheckOutcome, CheckVerdict, not_run
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.checks import ErrorsEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.phases.validate_errors import run as validate_errors

from tests.fakes import FakeAws
from tests.fakes.requests import request, results

GOOD = CheckOutcome("unknown_path", CheckVerdict.PASSED, 1.0)
BAD = CheckOutcome("wrong_key", CheckVerdict.FAILED, 1.0, "status is 200", ["status is 401"], "r-1", "status 200")
IDLE = not_run("upstream_500", "no upstream here can be told to fail")


def test_what_was_not_run_is_counted_and_named_but_not_as_passed() -> None:
    result = conclude(ErrorsEvidence, "error", [GOOD, IDLE], "7")
    assert result.evidence is not None
    assert (result.evidence.passed, result.evidence.not_run) == (1, 1)
    assert result.summary == "1 of 2 error checks passed on version 7; NOT RUN: upstream_500"


def test_one_failed_check_fails_the_phase_and_tells_where_to_look() -> None:
    with pytest.raises(PhaseFailed) as raised:
        conclude(ErrorsEvidence, "error", [GOOD, BAD, IDLE], "7")
    assert raised.value.message == "1 of 3 error checks failed on version 7: wrong_key: status is 200; 1 NOT RUN"
    assert "status is 401" in str(raised.value.remedy)
    assert "r-1" in str(raised.value.remedy)
    assert len(raised.value.evidence["checks"]) == 3
    counts = {name: raised.value.evidence[name] for name in ("passed", "failed", "not_run")}
    assert counts == {"passed": 1, "failed": 1, "not_run": 1}


def failed(name: str, cause: str) -> CheckOutcome:
    return CheckOutcome(name, CheckVerdict.FAILED, 1.0, f"{name} is wrong", ["status is 200"], "", cause)


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        (
            [failed("a", "status 502: upstream refused"), failed("b", "status 502: upstream refused")],
            "2 of 2 error checks failed on version 7 with status 502: upstream refused",
        ),
        (
            [failed("a", "status 502: x"), failed("b", "status 503: y"), failed("c", "status 502: x"), failed("d", "")],
            "4 of 4 error checks failed on version 7: 2 with status 502: x (a, c); b: b is wrong; d: d is wrong",
        ),
        ([failed("a", ""), failed("b", "")], "2 of 2 error checks failed on version 7: a: a is wrong; b: b is wrong"),
    ],
)
def test_checks_that_fail_for_the_same_cause_are_named_together(outcomes: list[CheckOutcome], message: str) -> None:
    with pytest.raises(PhaseFailed) as raised:
        conclude(ErrorsEvidence, "error", outcomes, "7")
    assert raised.value.message == message


def test_an_environment_without_an_api_has_nothing_to_test() -> None:
    with pytest.raises(PhaseFailed, match="no API yet"):
        validate_errors.run(request(), FakeAws().as_aws())


def test_the_phase_is_skipped_for_the_same_release_only() -> None:
    aws = FakeAws().as_aws()
    first, again, second = (
        validate_errors.fingerprint(request(results=results(ReleaseEvidence(version=version))), aws)
        for version in ("1", "1", "2")
    )
    assert first == again
    assert first != second
