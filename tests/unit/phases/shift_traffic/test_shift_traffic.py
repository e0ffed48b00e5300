"""Traffic moves in steps, each judged by the alarms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chalicelib.checks.comparison.record_times import tallied, times_rows
from chalicelib.checks.comparison.side_by_side import Sides, after_windows
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.comparison import Compared, Split
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.release import Judgement, ReleaseEvidence, ShiftEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.model import Environment
from chalicelib.domain.names import Names
from chalicelib.domain.options import Bake, Options, Relative, Slo
from chalicelib.engine.phase import Request, Status
from chalicelib.load.recorder import Recorder
from chalicelib.load.shard import combine, encode
from chalicelib.phases.shift_traffic import run as shift_traffic
from chalicelib.phases.shift_traffic.cursor import ShiftCursor
from chalicelib.phases.shift_traffic.observe import new_window

from tests.fakes import FakeAws, settings
from tests.fakes.lines import line
from tests.fakes.requests import NOW, environment, next_call, release, request, results

NAMES = Names("dev")
FUNCTION = NAMES.function
CONFIG = FunctionConfig("sha", 256, 29, {}, "python3.11")


def world(live: str = "1", **other: Any) -> FakeAws:
    aws = FakeAws(**other)
    aws.functions.add(FUNCTION, CONFIG, live=live, versions=2)
    aws.alarms.states = {"proxyctl/dev/errors": "OK"}
    return aws


def shift_request(**other: Any) -> Request:
    good = environment(last_good=release("1"), live=release("1"))
    defaults: dict[str, Any] = {
        "environment": good,
        "results": results(ReleaseEvidence(version="2")),
        "options": Options(bake=Bake(steps=(10, 50, 100))),
    }
    return request(**defaults | other)


def counted(aws: FakeAws, candidate: tuple[int, int], live: tuple[int, int]) -> None:
    """(invocations, errors) of the two versions."""
    aws.metrics.values = {("Invocations", "2"): candidate[0], ("Errors", "2"): candidate[1]}
    aws.metrics.values |= {("Invocations", "1"): live[0], ("Errors", "1"): live[1]}


def test_a_candidate_that_fails_more_often_than_the_live_version_stops_the_shift() -> None:
    aws = world()
    first = shift_traffic.run(shift_request(), aws.as_aws())
    counted(aws, (40, 8), (400, 2))
    with pytest.raises(PhaseFailed) as stopped:
        shift_traffic.run(next_call(shift_request(), first), aws.as_aws())
    assert stopped.value.code == "CanaryWorse"
    assert "errors 20 % of 40 against live's 0.5 % of 400" in stopped.value.message
    assert stopped.value.evidence["against_live"] == "WORSE"
    assert stopped.value.evidence["p_value"] < 0.005


def errors_after(steps: list[tuple[int, int, int, int]]) -> ShiftEvidence:
    """A shift in three steps. steps: candidate's and live's invocations and errors since its start, at each look."""
    aws = world()
    call = shift_request()
    result = shift_traffic.run(call, aws.as_aws())
    for candidate, candidate_errors, live, live_errors in steps:
        counted(aws, (candidate, candidate_errors), (live, live_errors))
        call = next_call(call, result)
        result = shift_traffic.run(call, aws.as_aws())
    assert result.evidence is not None
    return result.evidence


def test_each_step_adds_only_what_is_new_to_the_test() -> None:
    evidence = errors_after([(30, 1, 300, 2), (130, 2, 400, 2), (630, 3, 400, 2)])
    assert evidence.comparisons[0].worse.total == Split(630, 3, 400, 2)
    assert [judgement.against_live for judgement in evidence.judgements] == ["UNDECIDED", "UNDECIDED", "NOT_WORSE"]
    again = errors_after([(30, 1, 300, 2), (30, 1, 300, 2), (20, 0, 300, 2)])
    assert again.comparisons[0].worse.total == Split(30, 1, 300, 2)


def test_failures_of_several_steps_add_up_to_a_stop() -> None:
    with pytest.raises(PhaseFailed, match="worse than live"):
        errors_after([(100, 2, 900, 0), (200, 4, 1_800, 0)])
    assert errors_after([(100, 1, 900, 0), (200, 2, 1_000, 0), (300, 2, 1_000, 0)]).judgements[1].p_value == 0.07915


def test_the_shift_continues_what_the_load_test_began() -> None:
    """Two failures more of the candidate stop it, after six in the load test."""
    tested = after_windows(Compared(), [Split(30, 1, 30, 0)] * 6, 0)
    call = shift_request(results=results(ReleaseEvidence(version="2"), LoadEvidence(comparisons=(tested,))))
    aws = world()
    first = shift_traffic.run(call, aws.as_aws())
    counted(aws, (20, 2), (180, 0))
    with pytest.raises(PhaseFailed, match="errors 4 % of 200"):
        shift_traffic.run(next_call(call, first), aws.as_aws())
    assert errors_after([(20, 2, 180, 0), (20, 2, 180, 0), (20, 2, 180, 0)]).comparisons[0].verdict == "UNDECIDED"


def logged(aws: FakeAws, version: str, count: int, *, since_s: int, seconds: int = 40, **metrics: float) -> None:
    """Lines of `count` requests a second of this version, from so many seconds after the phase began."""
    lines = aws.logs.dated.setdefault(NAMES.log_group, [])
    start_ms = int((NOW.timestamp() + since_s) * 1_000)
    for number in range(count * seconds):
        values: dict[str, Any] = {"Overhead": 10.0, "Errors": 0.0, **metrics}
        values["Overhead"] += number % 7 / 10
        lines.append(line(start_ms + 1_000 * number // count, f"2026/11/26/[{version}]a", **values))


def after_a_step(aws: FakeAws, **options: Any) -> ShiftEvidence:
    """The evidence after one minute at 10 %."""
    call = shift_request(options=Options(bake=Bake(steps=(10, 50, 100)), **options))
    first = shift_traffic.run(call, aws.as_aws())
    result = shift_traffic.run(next_call(call, first, after_s=60), aws.as_aws())
    assert result.evidence is not None
    return result.evidence


def test_a_candidate_whose_overhead_grew_stops_the_shift() -> None:
    """In an account, from the proxy's own lines: 10 ms against 20 ms, at a tenth of the traffic."""
    aws = world()
    logged(aws, "1", 18, since_s=0)
    logged(aws, "2", 2, since_s=0, Overhead=20.0)
    with pytest.raises(PhaseFailed, match=r"p50 of overhead 20\.\d+ ms against live's 10\.\d+ ms") as stopped:
        after_a_step(aws)
    assert stopped.value.code == "CanaryWorse"


def test_a_candidate_whose_first_byte_is_later_stops_the_shift() -> None:
    aws = world()
    logged(aws, "1", 18, since_s=0, FirstByteOverhead=30.0)
    logged(aws, "2", 4, since_s=0, FirstByteOverhead=45.0)
    with pytest.raises(PhaseFailed, match=r"p50 of first byte 44\.93 ms"):
        after_a_step(aws)


def test_an_equal_candidate_goes_on_and_the_bake_gets_lives_times() -> None:
    aws = world()
    logged(aws, "1", 18, since_s=0)
    logged(aws, "2", 2, since_s=0)
    evidence = after_a_step(aws)
    assert {each.metric: each.verdict for each in evidence.comparisons} == {
        "errors": "UNDECIDED",
        "overhead_p50": "NOT_WORSE",
        "overhead_p99": "UNDECIDED",
    }
    assert evidence.comparisons[0].worse.total == Split(80, 0, 720, 0)
    ended = to_the_end(shift_request(), aws)
    assert ended.live_times == {}  # no time has passed in these calls


def test_each_line_is_read_once() -> None:
    aws = world()
    logged(aws, "1", 10, since_s=0, seconds=200)
    logged(aws, "2", 10, since_s=0, seconds=200)
    call = shift_request()
    result = shift_traffic.run(call, aws.as_aws())
    for _ in range(2):
        call = next_call(call, result, after_s=60)
        result = shift_traffic.run(call, aws.as_aws())
    assert result.evidence is not None
    # From second 0 to ten seconds before each look, at 60 and at 120.
    assert result.evidence.comparisons[0].worse.total == Split(1_100, 0, 1_100, 0)
    assert isinstance(result.cursor, ShiftCursor)
    record = result.cursor.live_times
    assert times_rows(tallied((), record, {}, Slo()), record, Slo())[0].record_count == 1_100


def test_what_the_proxy_answers_with_a_5xx_counts_as_a_failure_and_so_does_a_crash() -> None:
    """Lambda's own metric of errors counts crashes only."""
    aws = world()
    logged(aws, "1", 18, since_s=0)
    logged(aws, "2", 2, since_s=0, seconds=38)
    logged(aws, "2", 2, since_s=38, seconds=2, Errors=1.0)
    counted(aws, (80, 1), (720, 2))
    assert after_a_step(aws, slo=Slo(relative=Relative(errors=100))).comparisons[0].worse.total == Split(81, 5, 722, 2)
    with pytest.raises(PhaseFailed, match=r"errors 6\.2 % of 81 against live's 0\.28 % of 722"):
        after_a_step(aws)


def test_without_a_bound_failures_are_not_compared() -> None:
    call = shift_request(options=Options(bake=Bake(steps=(10, 100)), slo=Slo(relative=Relative(errors=None))))
    aws = world()
    counted(aws, (40, 40), (400, 0))
    judgements = to_the_end(call, aws).judgements
    assert judgements[0].against_live == "NOT RUN: options.slo.relative.errors is null"
    assert judgements[0].counts is not None


def test_errors_beyond_invocations_are_cut() -> None:
    """CloudWatch may show a minute's errors before its invocations."""
    counts = {"candidateinvocations": 3, "candidateerrors": 5, "liveinvocations": 2, "liveerrors": 4}
    assert new_window(counts, ()) == Split(3, 3, 2, 2)
    before = (Judgement(counts=counts), Judgement())
    assert new_window({**counts, "candidateinvocations": 2, "liveinvocations": 9}, before) == Split(0, 0, 7, 0)


def test_a_candidate_that_fails_as_often_goes_on_and_the_figures_are_kept() -> None:
    aws = world()
    counted(aws, (400, 4), (400, 4))
    judgements = to_the_end(shift_request(), aws).judgements
    assert [judgement.against_live for judgement in judgements] == ["NOT_WORSE"] * 3
    assert judgements[0].counts == {
        "candidateinvocations": 400,
        "candidateerrors": 4,
        "liveinvocations": 400,
        "liveerrors": 4,
    }


def test_too_few_calls_are_called_undecided_not_good() -> None:
    aws = world()
    counted(aws, (1, 0), (3, 0))
    assert to_the_end(shift_request(), aws).judgements[0].against_live == "UNDECIDED"


def to_the_end(call: Request, aws: FakeAws) -> ShiftEvidence:
    for _ in range(20):
        result = shift_traffic.run(call, aws.as_aws())
        if result.status is not Status.IN_PROGRESS:
            assert result.status is Status.SUCCEEDED
            assert result.evidence is not None
            return result.evidence
        call = next_call(call, result)
    raise AssertionError("the shift never ended")


def test_each_step_gives_the_candidate_its_share_and_the_last_one_everything() -> None:
    aws = world()
    result = to_the_end(shift_request(), aws)
    assert aws.functions.moves == [Alias("live", "1", {"2": 0.1}), Alias("live", "1", {"2": 0.5}), Alias("live", "2")]
    assert result.from_version == "1"
    assert result.weights_act == "yes"


def test_the_first_release_has_nobody_to_protect_and_moves_at_once() -> None:
    aws = world()
    to_the_end(shift_request(environment=environment()), aws)
    assert aws.functions.moves == [Alias("live", "2")]


def test_a_version_that_serves_everyone_already_is_not_moved() -> None:
    aws = world(live="2")
    result = shift_traffic.run(shift_request(environment=environment(live=release("2"))), aws.as_aws())
    assert result.status is Status.SKIPPED
    assert aws.functions.moves == []


@pytest.mark.parametrize(("stands", "before"), [(environment(live=release("1")), "1"), (environment(), "")])
def test_a_last_step_whose_call_died_is_judged_and_said_to_have_moved_users(stands: Environment, before: str) -> None:
    """Bake watches only when traffic was moved: a lost call must not leave a new version unwatched."""
    aws = world()
    at_once = shift_request(environment=stands, options=Options(bake=Bake(strategy="all_at_once")))
    shift_traffic.run(at_once, aws.as_aws())  # and its answer is lost
    result = to_the_end(at_once, aws)
    assert result.from_version == before
    assert len(result.judgements) == 1


def test_an_alarm_between_two_steps_stops_the_shift_and_says_how_far_it_was() -> None:
    aws = world()
    first = shift_traffic.run(shift_request(), aws.as_aws())
    aws.alarms.states["proxyctl/dev/errors"] = "ALARM"
    with pytest.raises(PhaseFailed) as stopped:
        shift_traffic.run(next_call(shift_request(), first), aws.as_aws())
    assert stopped.value.code == "AlarmFired"
    assert stopped.value.evidence == {"alarms": ["proxyctl/dev/errors"], "percent": 10}
    assert len(aws.functions.moves) == 1


def test_a_call_that_comes_twice_repeats_the_step_and_skips_none() -> None:
    aws = world()
    first = shift_traffic.run(shift_request(), aws.as_aws())
    again = shift_traffic.run(shift_request(), aws.as_aws())
    assert first == again
    assert {move.version for move in aws.functions.moves} == {"1"}


def test_the_embedded_cloud_says_that_weights_do_not_act_there() -> None:
    aws = world(settings=settings(endpoint_url="http://127.0.0.1:4566"))
    assert to_the_end(shift_request(), aws).weights_act.startswith("NOT RUN")


def embedded_world() -> FakeAws:
    return world(settings=settings(endpoint_url="http://127.0.0.1:4566"))


COMPARED = LoadEvidence(comparisons=(Compared("errors"),))


@pytest.mark.parametrize(
    ("aws", "tested", "bake", "follows_at_once"),
    [
        (embedded_world(), COMPARED, Bake(steps=(10, 100), step_s=2), True),
        (embedded_world(), COMPARED, Bake(steps=(10, 100), step_s=3), False),  # many such steps outlast the Lambda
        (embedded_world(), COMPARED, Bake(steps=(100,), step_s=1, watch_s=0), False),  # nobody is left to compare with
        (embedded_world(), LoadEvidence(), Bake(steps=(10, 100), step_s=1), False),  # no load will be driven
        (world(), COMPARED, Bake(steps=(10, 100), step_s=1), False),  # users drive the load there
    ],
)
def test_a_step_with_a_load_of_its_own_is_not_waited_for_besides(
    aws: FakeAws, tested: LoadEvidence, bake: Bake, follows_at_once: bool
) -> None:
    evidence = results(ReleaseEvidence(version="2"), tested)
    result = shift_traffic.run(shift_request(results=evidence, options=Options(bake=bake)), aws.as_aws())
    assert result.poll_after_s == bake.step_s
    assert (result.waits.count == 1) is follows_at_once


@pytest.mark.parametrize(("watch_s", "follows_at_once"), [(0, False), (1, True), (None, True)])
@pytest.mark.parametrize("aws", [world(), embedded_world()])
def test_the_last_step_is_not_waited_for_where_a_bake_watches_it(
    aws: FakeAws, watch_s: int | None, follows_at_once: bool
) -> None:
    bake = Bake(strategy="all_at_once", step_s=60, watch_s=watch_s)
    result = shift_traffic.run(shift_request(options=Options(bake=bake)), aws.as_aws())
    assert (result.waits.count == 1) is follows_at_once
    aws.alarms.states["proxyctl/dev/errors"] = "ALARM"
    with pytest.raises(PhaseFailed):
        shift_traffic.run(next_call(shift_request(options=Options(bake=bake)), result), aws.as_aws())


def test_an_alarm_that_fires_under_a_steps_own_load_stops_the_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = embedded_world()

    def drive(*_: object) -> Sides:
        aws.alarms.states["proxyctl/dev/errors"] = "ALARM"
        silent = combine([encode(Recorder(), started_at=0.0)])
        return Sides(silent, silent)

    monkeypatch.setattr("chalicelib.phases.shift_traffic.observe.drive_split", drive)
    call = shift_request(results=results(ReleaseEvidence(version="2"), COMPARED))
    with pytest.raises(PhaseFailed) as stopped:
        shift_traffic.run(next_call(call, shift_traffic.run(call, aws.as_aws())), aws.as_aws())
    assert stopped.value.code == "AlarmFired"


@pytest.mark.parametrize(
    ("recorded", "alias", "skips"),
    [
        ("2", Alias("live", "2"), True),
        ("2", Alias("live", "1"), False),
        ("2", Alias("live", "2", {"1": 0.1}), False),
        ("1", Alias("live", "2"), False),  # a run before this one died between its last step and its record
    ],
)
def test_a_look_skips_the_shift_when_it_would_skip_itself(recorded: str, alias: Alias, skips: bool) -> None:
    aws = world()
    aws.functions.point(FUNCTION, alias)
    good = release(recorded)
    asking = shift_request(environment=environment(live=good, last_good=good))
    result = shift_traffic.unchanged(asking, aws.as_aws())
    assert (result is not None) is skips
    assert (shift_traffic.run(asking, aws.as_aws()).status is Status.SKIPPED) is skips


def test_a_look_leaves_a_secret_version_that_waits_to_the_shift() -> None:
    secret = SecretEvidence(version_id="v2", replaces="v1")
    evidence = results(ReleaseEvidence(version="2"), secret)
    good = environment(last_good=release("2"), live=release("2"))
    asking = shift_request(environment=good, results=evidence, options=Options(secret_version="v2"))
    assert shift_traffic.unchanged(asking, world("2").as_aws()) is None
    assert shift_traffic.unchanged(replace(asking, options=Options()), world("2").as_aws()) is not None
