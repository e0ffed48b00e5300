"""Which phases would be skipped, and what a skipped phase says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Applied, Evidence
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Definition, Phase, Plan, Request, Result, Results, Status
from chalicelib.engine.registry import DEPLOY
from chalicelib.engine.skip import look_ahead, plan, skip_or_run
from chalicelib.ports import Aws

from tests.fakes import FakeAws
from tests.fakes.requests import NOW, environment, request

Fingerprint = Callable[[Request, Aws], str]
APPLIED = Applied("same", "d-old", "2026-01-01T10:11:12.345+00:00")


@dataclass(frozen=True)
class Nothing:
    """The evidence and the cursor of the phases here."""

    PHASE: ClassVar[str] = "deploy_stack"


def phase(fingerprint: Fingerprint | None = None, asks: Plan = Plan.NONE, plans: list[Any] | None = None) -> Phase:
    def run(request: Request, aws: Aws) -> Result[Nothing]:
        if plans is not None:
            plans.append(request.plan)
        return Result.done("It is done", Nothing())

    return Definition(run, Nothing, Nothing, fingerprint, asks)


def constant(fingerprint: str) -> Fingerprint:
    return lambda request, aws: fingerprint


def missing(error: Exception) -> Fingerprint:
    def fingerprint(request: Request, aws: Aws) -> str:
        raise error

    return fingerprint


def load(phases: Mapping[str, Phase]) -> Callable[[str], Phase]:
    return lambda name: phases.get(name, phase())


def planned(
    phases: Mapping[str, Phase], *, ahead: bool, ended: Mapping[str, Evidence] | None = None
) -> dict[str, bool]:
    applied = {"deploy_stack": APPLIED, "release_code": APPLIED, "preflight": APPLIED}
    asking = request(environment=environment(applied=applied), results=Results(ended or {}))
    return plan(asking, FakeAws().as_aws(), load(phases), ahead=ahead)


def test_a_skipped_phase_names_the_deployment_and_the_second_at_which_it_was_applied() -> None:
    asking = request(environment=environment(applied={"deploy_stack": APPLIED}))
    phases = load({"deploy_stack": phase(constant("same"))})
    result = skip_or_run("deploy_stack", asking, FakeAws().as_aws(), lambda: NOW, phases)
    assert result.status is Status.SKIPPED
    assert result.summary == "Nothing changed since deployment d-old (2026-01-01T10:11:12Z)"


def test_a_plan_of_what_has_ended_leaves_out_what_is_ahead() -> None:
    phases = {"deploy_stack": phase(constant("same")), "release_code": phase(constant("new"))}
    assert planned(phases, ahead=False, ended={"deploy_stack": {}}) == {"deploy_stack": True}


def test_a_plan_ahead_covers_all_that_was_ever_applied_and_has_a_fingerprint() -> None:
    phases = {"deploy_stack": phase(constant("same")), "release_code": phase(constant("new")), "bake": phase()}
    assert planned(phases, ahead=True) == {"deploy_stack": True, "release_code": False}


def test_a_phase_with_a_fingerprint_that_was_never_applied_is_in_no_plan() -> None:
    assert planned({"configure_monitoring": phase(constant("same"))}, ahead=True) == {}


@pytest.mark.parametrize("error", [KeyError("version"), PhaseFailed("no evidence")])
def test_a_phase_whose_inputs_are_missing_would_run(error: Exception) -> None:
    assert planned({"deploy_stack": phase(missing(error))}, ahead=True) == {"deploy_stack": False}


@pytest.mark.parametrize(
    ("asks", "expected"), [(Plan.AHEAD, {"deploy_stack": True}), (Plan.AGAIN, {}), (Plan.NONE, {})]
)
def test_a_phase_gets_the_plan_that_it_asks_for(asks: Plan, expected: dict[str, bool]) -> None:
    plans: list[Any] = []
    phases = load({"deploy_stack": phase(constant("same")), "bake": phase(asks=asks, plans=plans)})
    asking = request(environment=environment(applied={"deploy_stack": APPLIED}))
    skip_or_run("bake", asking, FakeAws().as_aws(), lambda: NOW, phases)
    assert plans == [expected]


FIRST, SECOND, THIRD = DEPLOY[:3]


def ahead(phases: Mapping[str, Phase], **other: Any) -> dict[str, Result[object]]:
    stands = environment(applied=dict.fromkeys(DEPLOY, APPLIED))
    return look_ahead(request(environment=stands, **other), FakeAws().as_aws(), load(phases))


def settled(result: Result[Nothing] | None) -> Phase:
    """A step without fingerprint, and what its look answers."""
    return Definition(lambda request, aws: Result.done("ran"), Nothing, unchanged=lambda request, aws: result)


def test_a_look_ahead_ends_before_the_first_phase_that_has_something_to_do() -> None:
    phases = {FIRST: phase(constant("same")), SECOND: phase(constant("new")), THIRD: phase(constant("same"))}
    skipped = ahead(phases)
    assert list(skipped) == [FIRST]
    assert skipped[FIRST].summary == "Nothing changed since deployment d-old (2026-01-01T10:11:12Z)"


def test_each_phase_of_a_look_is_judged_with_the_evidence_of_those_before_it() -> None:
    judged: list[list[str]] = []

    def fingerprint(request: Request, aws: Aws) -> str:
        judged.append(sorted(request.results.recorded))
        return "same"

    assert list(ahead({FIRST: phase(fingerprint), SECOND: phase(fingerprint)})) == [FIRST, SECOND]
    assert judged == [[FIRST], sorted([FIRST, SECOND])]


def test_a_step_without_fingerprint_is_skipped_by_its_own_look_and_runs_without_one() -> None:
    result = Result.skipped("Already there", Nothing())
    assert ahead({FIRST: settled(result), SECOND: settled(None)}) == {FIRST: result}
    assert ahead({FIRST: phase()}) == {}


@pytest.mark.parametrize("error", [KeyError("StageName"), PhaseFailed("no evidence")])
def test_a_look_that_cannot_tell_leaves_the_phase_to_itself(error: Exception) -> None:
    assert ahead({FIRST: phase(missing(error))}) == {}


def test_a_phase_that_was_never_applied_is_not_skipped() -> None:
    asking = request(environment=environment())
    assert look_ahead(asking, FakeAws().as_aws(), load({FIRST: phase(constant("same"))})) == {}


def test_force_skips_nothing() -> None:
    assert ahead({FIRST: phase(constant("same"))}, options=Options(force=True)) == {}


def test_an_approval_that_is_asked_for_ends_the_look() -> None:
    all_settled = {
        name: settled(Result.skipped("Already there", Nothing())) for name in DEPLOY if name != "await_approval"
    }
    assert "shift_traffic" in ahead(all_settled)
    assert list(ahead(all_settled, options=Options(approval="required")))[-1] == "load_test"
