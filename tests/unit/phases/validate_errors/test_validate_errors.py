"""Phase 8: what cannot be seen here says so, and what is wrong stops the rollout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.checks.conclude import conclude
from chalicelib.checks.expectations import CheckOutcome, CheckVerdict, not_run
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.checks import CheckRow, ErrorsEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.model import Action, Applied
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request
from chalicelib.phases.validate_errors import reuse
from chalicelib.phases.validate_errors import run as validate_errors

from tests.fakes import FakeAws
from tests.fakes.requests import environment, request, results

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


ROWS = (CheckRow("unknown_path", "PASSED"), CheckRow("upstream_500", "NOT RUN"), CheckRow("throttling", "PASSED"))
BEFORE = ErrorsEvidence("7", 2, 0, 1, ROWS, release="same")


def asking(before: ErrorsEvidence = BEFORE, **other: Any) -> Request:
    """A request in an environment where a deployment d-1 left this evidence."""
    applied = Applied("any", "d-1", "2026-01-01T00:00:00.000+00:00", encode(before))
    return request(environment=environment(applied={"validate_errors": applied}), **other)


def test_checks_of_the_same_release_are_not_run_again() -> None:
    before = reuse.passed_before(asking(), "same")
    assert before is not None
    assert (before.done_by, before.checks) == ("d-1", ROWS)


def test_the_deployment_that_ran_the_checks_stays_named() -> None:
    before = reuse.passed_before(asking(replace(BEFORE, done_by="d-0")), "same")
    assert before is not None
    assert before.done_by == "d-0"


@pytest.mark.parametrize(
    "again",
    [
        asking(replace(BEFORE, release="another")),
        asking(replace(BEFORE, release="")),
        asking(replace(BEFORE, failed=1)),
        asking(options=Options(force=True)),
        asking(action=Action.REVALIDATE),
        asking(action=Action.ROTATE),
        request(),
    ],
    ids=["another release", "an earlier version", "a failure", "force", "revalidate", "rotate", "a first deploy"],
)
def test_all_checks_run_again(again: Request) -> None:
    assert reuse.passed_before(again, "same") is None


def test_the_throttles_row_is_the_new_one_and_counts_are_of_all_rows() -> None:
    throttled = CheckOutcome("throttling", CheckVerdict.PASSED, 9.0)
    together = reuse.together(conclude(ErrorsEvidence, "error", [throttled], "7"), replace(BEFORE, done_by="d-1"))
    assert together.evidence is not None
    assert [(row.name, row.ms) for row in together.evidence.checks] == [
        ("unknown_path", 0.0),
        ("upstream_500", 0.0),
        ("throttling", 9.0),
    ]
    assert (together.evidence.passed, together.evidence.not_run, together.evidence.release) == (2, 1, "same")
    assert together.summary.endswith("deployment d-1 ran the other 2 on the same release")


def test_a_throttle_that_was_not_exceeded_is_counted_as_not_run() -> None:
    idle = not_run("throttling", "this machine cannot send more")
    together = reuse.together(conclude(ErrorsEvidence, "error", [idle], "7"), BEFORE)
    assert together.evidence is not None
    assert (together.evidence.passed, together.evidence.not_run) == (1, 2)
