"""Users go back to what was good, and a rollback that fails says where it left them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.errors import AwsCallFailed, LockLost, PhaseFailed
from chalicelib.domain.evidence.release import RollBackEvidence
from chalicelib.domain.model import Action, Applied, Lock, PhaseRecord, PhaseStatus
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.roll_back import run as roll_back

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, environment, release, request

FUNCTION = "proxyctl-dev-proxy"
CONFIG = FunctionConfig("sha", 256, 29, {}, "python3.11")


def world(live: str = "2", candidate: str = "3") -> FakeAws:
    aws = FakeAws()
    aws.functions.add(FUNCTION, CONFIG, live=live, versions=3)
    aws.functions.pointed[FUNCTION]["candidate"] = Alias("candidate", candidate)
    applied = Applied("f", "d-new", "2026-01-01", {"version": "3"})
    aws.records.attributes["dev"] = {
        "lock": dataclasses.asdict(HELD),
        "applied_release_code": dataclasses.asdict(applied),
    }
    return aws


def evidence_of(result: Result[RollBackEvidence]) -> RollBackEvidence:
    assert result.evidence is not None
    return result.evidence


def failed(**other: Any) -> Request:
    return request(**{"environment": environment(last_good=release("2"), live=release("2"))} | other)


def requested(to: str | None = None, **attributes: Any) -> Request:
    good = {"last_good": release("3"), "live": release("3"), "previous": release("2")}
    return request(
        action=Action.ROLLBACK, environment=environment(**good | attributes), options=Options(rollback_to=to)
    )


def test_after_a_failed_validation_the_candidate_leaves_and_live_was_never_touched() -> None:
    aws = world()
    result = roll_back.run(failed(), aws.as_aws())
    assert evidence_of(result).moved == {"candidate": "3"}
    assert aws.functions.moves == [Alias("candidate", "2")]


def test_the_candidates_fingerprint_is_forgotten_with_it() -> None:
    aws = world()
    roll_back.run(failed(), aws.as_aws())
    assert aws.records.environment("dev").applied == {}


def test_after_a_failed_bake_users_go_back_before_anything_else() -> None:
    aws = world(live="3")
    roll_back.run(failed(), aws.as_aws())
    assert [move.name for move in aws.functions.moves] == ["live", "candidate"]
    assert aws.functions.aliases(FUNCTION)["live"] == Alias("live", "2")


def test_a_half_way_shift_loses_its_weights() -> None:
    aws = world()
    aws.functions.pointed[FUNCTION]["live"] = Alias("live", "2", {"3": 0.5})
    result = roll_back.run(failed(), aws.as_aws())
    assert aws.functions.aliases(FUNCTION)["live"] == Alias("live", "2")
    assert "live from 2 (50% on 3) to 2" in result.summary


def test_twice_does_nothing_the_second_time_and_says_so() -> None:
    aws = world()
    roll_back.run(failed(), aws.as_aws())
    again = roll_back.run(failed(), aws.as_aws())
    assert again.status is Status.SKIPPED
    assert again.summary == "Nothing to roll back: users are on version 2"
    assert len(aws.functions.moves) == 1


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to() -> None:
    aws = world()
    assert roll_back.run(failed(environment=environment()), aws.as_aws()).status is Status.SKIPPED
    assert aws.functions.moves == []


def test_a_first_release_that_fails_after_the_shift_goes_back_to_the_closed_version() -> None:
    aws = world(live="3", candidate="3")
    closed = dataclasses.replace(CONFIG, environment={"ARTIFACT_DIGEST": "unreleased"})
    first, _ = aws.functions.published[FUNCTION][0]
    aws.functions.published[FUNCTION][0] = (first, closed)
    roll_back.run(failed(environment=environment()), aws.as_aws())
    assert {name: alias.version for name, alias in aws.functions.aliases(FUNCTION).items()} == {
        "live": "1",
        "candidate": "1",
    }


def test_before_there_is_a_function_there_is_nothing_to_do() -> None:
    assert roll_back.run(failed(), FakeAws().as_aws()).status is Status.SKIPPED


def test_an_environment_that_another_deployment_holds_is_left_alone() -> None:
    aws = world(live="3")
    taken = environment(last_good=release("2"), lock=Lock("d-other", "", 0))
    assert roll_back.run(failed(environment=taken), aws.as_aws()).status is Status.SKIPPED
    assert aws.functions.moves == []
    with pytest.raises(LockLost):
        roll_back.run(dataclasses.replace(requested(), environment=taken), aws.as_aws())


def test_a_rollback_that_sticks_says_what_is_where_and_how_to_mend_it() -> None:
    aws = world(live="3")
    aws.functions.refuses = {"candidate"}
    with pytest.raises(AwsCallFailed) as stuck:
        roll_back.run(failed(), aws.as_aws())
    assert stuck.value.evidence == {"moved": {"live": "3"}, "stuck": {"candidate": "3"}}
    assert "aws lambda update-alias --function-name proxyctl-dev-proxy" in str(stuck.value.remedy)


def test_asked_for_it_goes_to_the_good_version_before_this_one() -> None:
    aws = world(live="3")
    result = roll_back.run(requested(), aws.as_aws())
    assert evidence_of(result).version == "2"
    assert aws.functions.aliases(FUNCTION)["live"].version == "2"


def test_asked_for_a_named_version_it_goes_there() -> None:
    aws = world(live="3")
    roll_back.run(requested("1", releases=(release("3"), release("2"), release("1"))), aws.as_aws())
    assert aws.functions.aliases(FUNCTION)["live"].version == "1"


def test_what_never_passed_reaches_no_user_by_name_either() -> None:
    aws = world(live="3")
    with pytest.raises(PhaseFailed) as refused:
        roll_back.run(requested("1"), aws.as_aws())
    assert (refused.value.code, refused.value.field) == ("NoSuchRelease", "options.rollback_to")
    assert "2, 3" in str(refused.value.remedy)
    assert aws.functions.moves == []


def test_asked_for_a_version_that_does_not_exist_it_names_those_that_do() -> None:
    with pytest.raises(PhaseFailed) as refused:
        roll_back.run(requested("9"), world(live="3").as_aws())
    assert refused.value.field == "options.rollback_to"
    assert "2, 3" in str(refused.value.remedy)


def test_asked_for_where_there_is_no_function_it_fails() -> None:
    with pytest.raises(PhaseFailed) as refused:
        roll_back.run(requested(), FakeAws().as_aws())
    assert refused.value.code == "NothingToGoBackTo"


def test_asked_for_without_an_earlier_release_it_fails() -> None:
    with pytest.raises(PhaseFailed) as refused:
        roll_back.run(requested(previous=None), world(live="3").as_aws())
    assert refused.value.code == "NothingToGoBackTo"


def test_what_was_stopped_from_outside_is_touched_even_where_it_stands_right() -> None:
    """So that a Lambda which nobody has stopped is refused when it comes to move it (see `fence`)."""
    aws = world(live="2", candidate="2")
    before = {name: alias.revision for name, alias in aws.functions.aliases(FUNCTION).items()}
    result = roll_back.run(failed(error={"Error": "ExecutionStopped", "Cause": ""}), aws.as_aws())
    after = {name: alias.revision for name, alias in aws.functions.aliases(FUNCTION).items()}
    assert result.status is Status.SKIPPED
    assert all(before[name] != after[name] for name in before)


@pytest.mark.parametrize("ended", [PhaseStatus.RUNNING, PhaseStatus.FAILED])
def test_alarms_that_ring_for_a_drill_which_was_cut_short_are_hushed_and_its_queue_goes(ended: PhaseStatus) -> None:
    aws = world(live="2", candidate="2")
    aws.records.put_phase("d-new", PhaseRecord(5, "configure_monitoring", ended))
    aws.alarms.set_state("proxyctl/dev/errors", "ALARM", "Drill by proxyctl deployment d-new: nothing is wrong")
    aws.alarms.set_state("proxyctl/dev/throttles", "ALARM", "Threshold crossed")
    topic = aws.topics.ensure("proxyctl-dev-alarms", {})
    aws.topics.subscribe(topic, "email", "ann@example.org")
    aws.topics.open_probe(topic, "proxyctl_dev_probe_d-new", {})
    result = roll_back.run(failed(), aws.as_aws())
    assert aws.alarms.states == {"proxyctl/dev/errors": "OK", "proxyctl/dev/throttles": "ALARM"}
    assert (list(aws.topics.queues), list(aws.topics.subscribers(topic))) == ([], ["ann@example.org"])
    assert evidence_of(result).hushed == ("proxyctl/dev/errors",)
    assert result.summary.endswith("; 1 test alarm reset to OK")


def test_an_alarm_of_a_deployment_that_fired_none_is_left_alone() -> None:
    aws = world(live="2", candidate="2")
    aws.records.put_phase("d-new", PhaseRecord(5, "configure_monitoring", PhaseStatus.SUCCEEDED))
    aws.alarms.set_state("proxyctl/dev/errors", "ALARM", "Drill by proxyctl deployment d-other: nothing is wrong")
    roll_back.run(failed(), aws.as_aws())
    assert aws.alarms.states == {"proxyctl/dev/errors": "ALARM"}
