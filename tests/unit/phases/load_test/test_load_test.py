"""Phase 9: who drives, what is judged, and what it leaves behind."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.aws.functions import ConcurrencyLimits, FunctionSettings, Invocation
from chalicelib.domain.codec import decode, encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest, PhaseFailed
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names
from chalicelib.domain.options import Load, Options, Slo
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.load import plans, shard
from chalicelib.load.curves import Curves
from chalicelib.load.recorder import Recorder
from chalicelib.phases.load_test import measure
from chalicelib.phases.load_test import run as load_test
from chalicelib.phases.load_test.cursor import LoadCursor

from tests.fakes.endpoint import reply
from tests.fakes.measuring import CONFIG, MeasuredFunctions, MeasuringAws
from tests.fakes.requests import environment, next_call, release, request, results

FUNCTION = Names("dev").function
STACK, RELEASE = StackEvidence(api_url="https://api.example/api"), ReleaseEvidence(version="7")
DRIVEN = LoadCursor(slices_done=1, estimated_usd=0.01)
HEALTH = {"status": "ok", "version": "7", "secret": {"models": ["fast"], "client_keys": 0}}


def measuring(**other: Any) -> MeasuringAws:
    aws = MeasuringAws(functions=MeasuredFunctions(FUNCTION), **other)
    aws.endpoint.answer = lambda _: reply(200, HEALTH)
    return aws


def load_request(cursor: LoadCursor = DRIVEN, *, load: Any = None, **other: Any) -> Request:
    """A request of load_test; by default all slices were driven and nothing else is to be measured."""
    options = Options(load=Load(**{"cold_starts": 0} | (load or {})), **other.pop("options", {}))
    return request(results=results(STACK, RELEASE), options=options, cursor=encode(cursor), seed="seed", **other)


def recorded(ms: float = 10.0, *, count: int = 400, bad: int = 0, unsent: int = 0, seed: int = 1) -> bytes:
    """A shard of 20 s whose median is about `ms`."""
    chance, recorder = random.Random(seed), Recorder(100.0)
    for number in range(count):
        due = 100.0 + 20 * number / count
        took = ms / 1_000 * chance.lognormvariate(0, 0.2)
        recorder.answered(due, due, due + took)
    for _ in range(bad):
        recorder.failed("http_500", 100.0, 100.1)
    recorder.due = count + bad + unsent
    recorder.unsent = unsent
    return shard.encode(recorder, started_at=0.0)


def stored(aws: MeasuringAws, *shards: bytes) -> MeasuringAws:
    for number, encoded in enumerate(shards):
        aws.artifacts.objects[f"load/d-new/shard-0000-{number:04d}"] = encoded
    return aws


def evidence_of(result: Result[LoadEvidence]) -> LoadEvidence:
    assert result.evidence is not None
    return result.evidence


def failure(aws: MeasuringAws, call: Request) -> PhaseFailed:
    with pytest.raises(PhaseFailed) as raised:
        load_test.run(call, aws.as_aws())
    return raised.value


def test_a_run_within_its_slos_passes_and_names_each() -> None:
    aws = stored(measuring(), recorded(10))
    result = load_test.run(load_request(), aws.as_aws())
    assert result.status is Status.SUCCEEDED
    evidence = evidence_of(result)
    assert {row.slo: row.verdict for row in evidence.slos} == {"p99_ms": "PASSED", "error_rate": "PASSED"}
    assert result.summary.startswith("Version 7 meets its SLOs at 30 requests a second: p99 1")
    assert (
        "p99 16 ms (at least 15 with 95 % confidence), limit 2,000 ms: pass (400 samples; 5 more answers"
        in result.summary
    )
    assert "limit 1 %: pass (400 samples; 5 more failures would have stopped it)" in result.summary
    assert (evidence.due, evidence.good, evidence.unsent) == (400, 400, 0)
    assert len(json.dumps(encode(evidence))) < 8_000


def test_a_release_that_answers_500_passes_no_gate() -> None:
    failed = failure(stored(measuring(), recorded(bad=100)), load_request())
    assert failed.code == "SloMissed"
    assert "error rate 20 % (17 to 24 with 95 % confidence), limit 1 %: fail" in failed.message
    assert "p99" not in failed.message
    assert failed.message.endswith("; failures: 100 http_500")


def test_a_slow_release_fails_naming_bound_figure_and_interval() -> None:
    failed = failure(stored(measuring(), recorded(400)), load_request(options={"slo": Slo(p99_ms=100)}))
    row = next(row for row in failed.evidence["slos"] if row["slo"] == "p99_ms")
    assert (row["verdict"], row["bound"]) == ("FAILED", 100)
    assert "failures:" not in failed.message, "no request failed"
    assert row["interval"][0] > 100


def test_too_few_samples_do_not_pass() -> None:
    failed = failure(stored(measuring(), recorded(count=50)), load_request())
    assert "inconclusive (50 samples; p99 needs 100" in failed.message


@pytest.mark.parametrize(("unsent", "is_valid"), [(10, True), (11, False)])
def test_more_than_one_percent_unsent_makes_the_run_invalid(unsent: int, is_valid: bool) -> None:
    aws = stored(measuring(), recorded(count=1_000 - unsent, unsent=unsent))
    if is_valid:
        assert evidence_of(load_test.run(load_request(), aws.as_aws())).verdict == "PASSED"
        return
    failed = failure(aws, load_request())
    assert failed.code == "LoadInvalid"
    assert failed.message.startswith("INVALID: 11 of 1000")


def test_a_worker_that_hands_over_nothing_is_missed() -> None:
    failed = failure(stored(measuring(), recorded()), load_request(load={"workers": 3}))
    assert failed.code == "LoadIncomplete"
    assert failed.message.startswith("2 of 3")


def test_workers_are_run_by_the_state_machine_from_one_plan() -> None:
    aws = measuring()
    result = load_test.run(load_request(LoadCursor(), load={"workers": 3, "rps": 90}), aws.as_aws())
    assert (result.status, result.fan_out) == (Status.IN_PROGRESS, 3)
    assert isinstance(result.cursor, LoadCursor)
    assert result.cursor.slices_done == 1
    part = plans.load(aws.artifacts.get("load/d-new/plan.json"), 2)
    plan = part.plan
    assert (plan.worker, plan.workers, plan.arrivals.rps) == (2, 3, 90)
    assert (part.part, part.prefix) == (0, "load/d-new/")
    assert plan.url == "https://api.example/api/_candidate/v1/chat/completions"
    assert plan.start_at > load_request().now.timestamp() + 1


def test_a_long_run_is_driven_in_slices() -> None:
    aws = measuring()
    call = load_request(LoadCursor(), load={"workers": 2, "duration_s": 300}, options={"max_cost_usd": 10})
    windows = []
    for _ in range(2):
        call = next_call(call, load_test.run(call, aws.as_aws()))
        windows.append(plans.load(aws.artifacts.get("load/d-new/plan.json"), 0).plan.window)
    assert windows == [(0, 150), (150, 300)]


def test_a_load_without_an_upstream_asks_for_health_and_pays_no_token() -> None:
    aws = measuring()
    load_test.run(load_request(LoadCursor(), load={"workers": 2, "upstream": "none"}), aws.as_aws())
    plan = plans.load(aws.artifacts.get("load/d-new/plan.json"), 0).plan
    assert (plan.method, plan.body) == ("GET", b"")
    assert plan.url.endswith("/_candidate/health")


def test_a_load_that_costs_too_much_is_refused_before_anything_is_sent() -> None:
    aws = measuring()
    with pytest.raises(BadRequest, match="would cost about"):
        load_test.run(load_request(LoadCursor(), load={"rps": 1_000, "duration_s": 600}), aws.as_aws())
    assert not aws.artifacts.objects
    assert not aws.endpoint.sent


def test_cold_starts_are_forced_on_a_version_that_is_gone_afterwards() -> None:
    aws = stored(measuring(), recorded())
    result = load_test.run(load_request(load={"cold_starts": 2}), aws.as_aws())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    evidence = evidence_of(result)
    assert evidence.cold_starts_ms == (210.5, 210.5)
    assert evidence.cold_starts_from == ("REPORT",)
    assert evidence.max_memory_mb == 44
    assert [version.description for version in functions.versions(FUNCTION)] == [""]
    assert functions.latest[FUNCTION] == CONFIG
    assert functions.moves == []


def test_a_measurement_waits_for_the_update_before_it_and_leaves_its_own_to_settle() -> None:
    aws = stored(measuring(), recorded())
    functions = aws.functions
    functions.settling = 2
    functions.update_settings(FUNCTION, FunctionSettings(CONFIG.memory_mb, CONFIG.timeout_s, CONFIG.environment))
    load_test.run(load_request(load={"cold_starts": 2}), aws.as_aws())
    assert functions.config(FUNCTION).update_status == "InProgress"
    assert functions.latest[FUNCTION] == CONFIG


def test_cold_starts_that_did_not_happen_are_inconclusive() -> None:
    aws = stored(measuring(), recorded())
    aws.functions = MeasuredFunctions(FUNCTION, cold=0)
    message = failure(aws, load_request(load={"cold_starts": 2})).message
    assert "slowest cold start not measured, limit 5,000 ms: inconclusive (no cold start was observed)" in message


def test_a_measurement_that_fails_puts_the_function_back_all_the_same() -> None:
    aws = stored(measuring(), recorded())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    functions.answer = lambda *_: Invocation(b"boom", "", "Unhandled", 1.0)
    assert failure(aws, load_request(load={"cold_starts": 2})).code == "MeasurementFailed"
    assert functions.latest[FUNCTION] == CONFIG
    assert len(functions.versions(FUNCTION)) == 1


def test_what_a_killed_measurement_left_behind_is_cleared_by_the_next() -> None:
    aws = stored(measuring(), recorded())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    left = functions.publish(FUNCTION, code_sha256="abc=", description=measure.DESCRIPTION)
    load_test.run(load_request(load={"cold_starts": 1}), aws.as_aws())
    assert left.number in functions.deleted


def test_a_revalidation_leaves_the_function_alone() -> None:
    aws = stored(measuring(), recorded())
    result = load_test.run(load_request(load={"cold_starts": 2}, action=Action.REVALIDATE), aws.as_aws())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    assert functions.called == []
    assert "cold_starts_ms" not in encode(evidence_of(result))


def test_memory_sizes_are_measured_one_a_call_and_compared() -> None:
    aws = stored(measuring(), recorded())
    call = load_request(options={"tune_memory": (128, 1_024)})
    first = load_test.run(call, aws.as_aws())
    assert first.status is Status.IN_PROGRESS
    tuning = evidence_of(load_test.run(next_call(call, first), aws.as_aws())).tuning
    assert tuning is not None
    assert (tuning.cheapest, tuning.fastest) == (128, 1_024)
    assert [size.median_ms for size in tuning.sizes] == [400.0, 50.0]
    assert aws.functions.latest[FUNCTION] == CONFIG


def judged_against(ms: float, options: dict[str, Any] | None = None) -> Any:
    """A run whose median is `ms`, against a last good one of 10 ms."""
    aws = stored(measuring(), recorded(10, seed=1))
    load_test.run(load_request(), aws.as_aws())
    after = results(STACK, ReleaseEvidence(version="8"))
    aws.artifacts.objects["load/d-new/shard-0000-0000"] = recorded(ms, seed=2)
    options = {"slo": Slo(slowdown=0.2)} if options is None else options
    call = request(
        results=after,
        options=Options(load=Load(cold_starts=0), **options),
        cursor=encode(DRIVEN),
        environment=environment(last_good=release("7")),
        seed="seed",
    )
    return aws, call


def test_a_release_that_is_20_percent_slower_than_the_last_good_one_is_stopped() -> None:
    aws, call = judged_against(12)
    failed = failure(aws, call)
    assert "median slower by " in failed.message
    assert "than in the last good run, limit 20 %: fail (400 samples; an interval above 5 % that" in failed.message
    assert failed.evidence["compared_with"] == "version 7"


def test_an_equal_release_passes_the_comparison() -> None:
    aws, call = judged_against(10)
    evidence = evidence_of(load_test.run(call, aws.as_aws()))
    assert next(row for row in evidence.slos if row.slo == "slowdown").verdict == "PASSED"


def test_without_a_bound_a_slowdown_is_not_judged() -> None:
    aws, call = judged_against(15, {})
    assert load_test.run(call, aws.as_aws()).status is Status.SUCCEEDED


def test_a_first_release_has_nothing_to_be_compared_with() -> None:
    aws = stored(measuring(), recorded())
    assert evidence_of(load_test.run(load_request(), aws.as_aws())).compared_with.startswith("nothing")


@pytest.mark.parametrize("other", [{"load": {"rps": 31}}, {"options": {"slo": Slo(p99_ms=1)}}])
def test_another_load_or_bound_is_tested_again(other: dict[str, Any]) -> None:
    aws = measuring().as_aws()
    assert load_test.fingerprint(load_request(), aws) == load_test.fingerprint(load_request(), aws)
    assert load_test.fingerprint(load_request(), aws) != load_test.fingerprint(load_request(**other), aws)


def test_the_settings_that_are_measured_are_the_configurations() -> None:
    aws = stored(measuring(), recorded())
    load_test.run(load_request(load={"cold_starts": 1}, config=Config(memory_mb=256)), aws.as_aws())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    assert functions.latest[FUNCTION].memory_mb == CONFIG.memory_mb


def test_a_new_account_gets_the_load_that_it_bears_and_the_record_says_so() -> None:
    """Issue 10, row f: ten concurrent executions; the default load needs 123. 69 s at 1.75 a second are two slices."""
    aws = stored(measuring(), recorded(10))
    aws.artifacts.objects["load/d-new/shard-0001-0000"] = recorded(10, seed=2)
    aws.functions.concurrency = ConcurrencyLimits(10, 10)
    result = load_test.run(load_request(replace(DRIVEN, slices_done=2)), aws.as_aws())
    assert "at 1.75 requests a second" in result.summary
    scaled = evidence_of(result).scaled_down
    assert scaled.startswith("the default load is scaled down from 30 requests a second for 4 s to 1.75 for 69 s")
    assert evidence_of(load_test.run(load_request(), stored(measuring(), recorded(10)).as_aws())).scaled_down == ""


@pytest.mark.parametrize("bad", [0, 200])
def test_what_the_report_draws_outlives_the_shards_of_a_run_that_passes_and_of_one_that_fails(bad: int) -> None:
    """clean_up deletes `load/<id>/` before the report is written."""
    aws = stored(measuring(), recorded(bad=bad))
    if bad:
        key = failure(aws, load_request()).evidence["curves"]
    else:
        key = evidence_of(load_test.run(load_request(), aws.as_aws())).curves
    assert key == "reports/d-new/curves.json"
    drawn = decode(Curves, json.loads(aws.artifacts.get(key)))
    assert sum(window.good for window in drawn.candidate.windows) == 400
    assert drawn.candidate.windows[0].failed == ({"http_500": bad} if bad else {})
    assert drawn.live is None
