"""Phase 9: who drives, what is judged, and what it leaves behind."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Invocation
from chalicelib.domain.config import Config, Load, Options, Slo
from chalicelib.domain.errors import BadRequest, PhaseFailed
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request, Status
from chalicelib.load import plans, shard
from chalicelib.load.recorder import Recorder
from chalicelib.phases.load_test import cold_starts as fresh
from chalicelib.phases.load_test import run as load_test

from tests.fakes.endpoint import reply
from tests.fakes.measuring import CONFIG, MeasuredFunctions, MeasuringAws
from tests.fakes.requests import environment, release, request

FUNCTION = Names("dev").function
RESULTS: dict[str, Any] = {"deploy_stack": {"api_url": "https://api.example/api"}, "release_code": {"version": "7"}}
HEALTH = {"status": "ok", "version": "7", "secret": {"models": ["fast"], "client_keys": 0}}


def measuring(**other: Any) -> MeasuringAws:
    aws = MeasuringAws(functions=MeasuredFunctions(FUNCTION), **other)
    aws.endpoint.answer = lambda _: reply(200, HEALTH)
    return aws


def asked(cursor: Mapping[str, Any] | None = None, *, load: Any = None, **other: Any) -> Request:
    """A phase 9 request; by default all slices were driven and nothing else is asked for."""
    options = Options(load=Load(**{"cold_starts": 0} | (load or {})), **other.pop("options", {}))
    driven = {"done": 1, "usd": 0.01} if cursor is None else cursor
    return request(results=RESULTS, options=options, cursor=driven, seed="seed", **other)


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


def kept(aws: MeasuringAws, *shards: bytes) -> MeasuringAws:
    for number, one in enumerate(shards):
        aws.artifacts.objects[f"load/d-new/shard-0000-{number:04d}"] = one
    return aws


def failure(aws: MeasuringAws, given: Request) -> PhaseFailed:
    with pytest.raises(PhaseFailed) as raised:
        load_test.run(given, aws.as_aws())
    return raised.value


def test_a_run_within_its_slos_passes_and_names_each() -> None:
    aws = kept(measuring(), recorded(10))
    result = load_test.run(asked(), aws.as_aws())
    assert result.status is Status.SUCCEEDED
    assert {one["slo"]: one["verdict"] for one in result.evidence["slos"]} == {
        "p99_ms": "PASSED",
        "error_rate": "PASSED",
    }
    assert "p99_ms PASSED" in result.summary
    assert (result.evidence["due"], result.evidence["good"], result.evidence["unsent"]) == (400, 400, 0)
    assert len(json.dumps(dict(result.evidence))) < 8_000


def test_a_release_that_answers_500_passes_no_gate() -> None:
    failed = failure(kept(measuring(), recorded(bad=100)), asked())
    assert failed.code == "SloMissed"
    assert "error_rate FAILED: 0.2" in failed.message


def test_a_slow_release_fails_naming_bound_figure_and_interval() -> None:
    failed = failure(kept(measuring(), recorded(400)), asked(options={"slo": Slo(p99_ms=100)}))
    told = next(one for one in failed.evidence["slos"] if one["slo"] == "p99_ms")
    assert (told["verdict"], told["bound"]) == ("FAILED", 100)
    assert told["interval"][0] > 100


def test_too_few_samples_do_not_pass() -> None:
    failed = failure(kept(measuring(), recorded(count=50)), asked())
    assert "INCONCLUSIVE" in failed.message


@pytest.mark.parametrize(("unsent", "is_valid"), [(4, True), (5, False)])
def test_more_than_one_percent_unsent_makes_the_run_invalid(unsent: int, is_valid: bool) -> None:
    aws = kept(measuring(), recorded(count=400 - unsent, unsent=unsent))
    if is_valid:
        assert load_test.run(asked(), aws.as_aws()).evidence["verdict"] == "PASSED"
        return
    failed = failure(aws, asked())
    assert failed.code == "LoadInvalid"
    assert failed.message.startswith("INVALID: 5 of 400")


def test_a_worker_that_hands_over_nothing_is_missed() -> None:
    failed = failure(kept(measuring(), recorded()), asked(load={"workers": 3}))
    assert failed.code == "LoadIncomplete"
    assert failed.message.startswith("2 of 3")


def test_workers_are_run_by_the_state_machine_from_one_plan() -> None:
    aws = measuring()
    result = load_test.run(asked({}, load={"workers": 3, "rps": 90}), aws.as_aws())
    assert (result.status, result.fan_out, result.cursor["done"]) == (Status.IN_PROGRESS, 3, 1)
    plan, part, prefix = plans.load(aws.artifacts.get("load/d-new/plan.json"), 2)
    assert (plan.worker, plan.workers, plan.arrivals.rps, part, prefix) == (2, 3, 90, 0, "load/d-new/")
    assert plan.url == "https://api.example/api/_candidate/v1/chat/completions"
    assert plan.start_at > asked().now.timestamp() + 1


def test_a_long_run_is_driven_in_slices() -> None:
    aws = measuring()
    cursor: dict[str, Any] = {}
    windows = []
    for _ in range(2):
        given = asked(cursor, load={"workers": 2, "duration_s": 300}, options={"max_cost_usd": 10})
        result = load_test.run(given, aws.as_aws())
        cursor = dict(result.cursor)
        windows.append(plans.load(aws.artifacts.get("load/d-new/plan.json"), 0)[0].window)
    assert windows == [(0, 150), (150, 300)]


def test_a_load_without_an_upstream_asks_for_health_and_pays_no_token() -> None:
    aws = measuring()
    load_test.run(asked({}, load={"workers": 2, "upstream": "none"}), aws.as_aws())
    plan, _, _ = plans.load(aws.artifacts.get("load/d-new/plan.json"), 0)
    assert (plan.method, plan.body) == ("GET", b"")
    assert plan.url.endswith("/_candidate/health")


def test_a_load_that_costs_too_much_is_refused_before_anything_is_sent() -> None:
    aws = measuring()
    with pytest.raises(BadRequest, match="would cost about"):
        load_test.run(asked({}, load={"rps": 1_000, "duration_s": 600}), aws.as_aws())
    assert not aws.artifacts.objects
    assert not aws.endpoint.sent


def test_cold_starts_are_forced_on_a_version_that_is_gone_afterwards() -> None:
    aws = kept(measuring(), recorded())
    result = load_test.run(asked(load={"cold_starts": 2}), aws.as_aws())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    assert result.evidence["cold_starts_ms"] == [210.5, 210.5]
    assert result.evidence["cold_starts_from"] == ["REPORT"]
    assert result.evidence["max_memory_mb"] == 44
    assert [version.description for version in functions.versions(FUNCTION)] == [""]
    assert functions.latest[FUNCTION] == CONFIG
    assert functions.moves == []


def test_cold_starts_that_did_not_happen_are_inconclusive() -> None:
    aws = kept(measuring(), recorded())
    aws.functions = MeasuredFunctions(FUNCTION, cold=0)
    assert "cold_start_ms INCONCLUSIVE" in failure(aws, asked(load={"cold_starts": 2})).message


def test_a_measurement_that_fails_puts_the_function_back_all_the_same() -> None:
    aws = kept(measuring(), recorded())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    functions.answer = lambda *_: Invocation(b"boom", "", "Unhandled", 1.0)
    assert failure(aws, asked(load={"cold_starts": 2})).code == "MeasurementFailed"
    assert functions.latest[FUNCTION] == CONFIG
    assert len(functions.versions(FUNCTION)) == 1


def test_what_a_killed_measurement_left_behind_is_cleared_by_the_next() -> None:
    aws = kept(measuring(), recorded())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    left = functions.publish(FUNCTION, code_sha256="abc=", description=fresh.DESCRIPTION)
    load_test.run(asked(load={"cold_starts": 1}), aws.as_aws())
    assert left.number in functions.deleted


def test_a_revalidation_leaves_the_function_alone() -> None:
    aws = kept(measuring(), recorded())
    result = load_test.run(asked(load={"cold_starts": 2}, action=Action.REVALIDATE), aws.as_aws())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    assert functions.called == []
    assert "cold_starts_ms" not in result.evidence


def test_memory_sizes_are_measured_one_a_call_and_compared() -> None:
    aws = kept(measuring(), recorded())
    given = {"options": {"tune_memory": (128, 1_024)}}
    first = load_test.run(asked(**given), aws.as_aws())
    assert first.status is Status.IN_PROGRESS
    second = load_test.run(asked(dict(first.cursor), **given), aws.as_aws())
    tuning = second.evidence["tuning"]
    assert (tuning["cheapest"], tuning["fastest"]) == (128, 1_024)
    assert [size["median_ms"] for size in tuning["sizes"]] == [400.0, 50.0]
    assert aws.functions.latest[FUNCTION] == CONFIG


def judged_against(ms: float, options: dict[str, Any] | None = None) -> Any:
    """A run whose median is `ms`, against a last good one of 10 ms."""
    aws = kept(measuring(), recorded(10, seed=1))
    load_test.run(asked(), aws.as_aws())
    after = {**RESULTS, "release_code": {"version": "8"}}
    aws.artifacts.objects["load/d-new/shard-0000-0000"] = recorded(ms, seed=2)
    options = {"slo": Slo(slowdown=0.2)} if options is None else options
    known = environment(last_good=release("7"))
    given = request(
        results=after,
        options=Options(load=Load(cold_starts=0), **options),
        cursor={"done": 1},
        environment=known,
        seed="seed",
    )
    return aws, given


def test_a_release_that_is_20_percent_slower_than_the_last_good_one_is_stopped() -> None:
    aws, given = judged_against(12)
    failed = failure(aws, given)
    assert "slowdown FAILED" in failed.message
    assert failed.evidence["compared_with"] == "version 7"


def test_an_equal_release_passes_the_comparison() -> None:
    aws, given = judged_against(10)
    result = load_test.run(given, aws.as_aws())
    assert next(one for one in result.evidence["slos"] if one["slo"] == "slowdown")["verdict"] == "PASSED"


def test_without_a_bound_a_slowdown_is_not_judged() -> None:
    aws, given = judged_against(15, {})
    assert load_test.run(given, aws.as_aws()).status is Status.SUCCEEDED


def test_a_first_release_has_nothing_to_be_compared_with() -> None:
    aws = kept(measuring(), recorded())
    assert load_test.run(asked(), aws.as_aws()).evidence["compared_with"].startswith("nothing")


@pytest.mark.parametrize("other", [{"load": {"rps": 31}}, {"options": {"slo": Slo(p99_ms=1)}}])
def test_another_load_or_bound_is_tested_again(other: dict[str, Any]) -> None:
    aws = measuring().as_aws()
    assert load_test.fingerprint(asked(), aws) == load_test.fingerprint(asked(), aws)
    assert load_test.fingerprint(asked(), aws) != load_test.fingerprint(asked(**other), aws)


def test_the_settings_that_are_measured_are_the_configurations() -> None:
    aws = kept(measuring(), recorded())
    load_test.run(asked(load={"cold_starts": 1}, config=Config(memory_mb=256)), aws.as_aws())
    functions = aws.functions
    assert isinstance(functions, MeasuredFunctions)
    assert functions.latest[FUNCTION].memory_mb == CONFIG.memory_mb
