"""Drift is named, fails the check, and is put back only when that was asked for and is safe."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.aws.stacks import Detection, ResourceDrift
from chalicelib.domain.config import Config, Options
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action, Applied, Environment, Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Result, Status
from chalicelib.monitoring.alarms import definitions
from chalicelib.phases.check_drift import run as check_drift
from chalicelib.release import release

from tests.fakes import FakeAws
from tests.fakes.requests import environment, request

NAMES = Names("dev")
SECRET = {"schema": 1, "api_key": "sk-abcdefghijklmnopqrst", "models": {}}


@pytest.fixture
def aws() -> FakeAws:
    """Environment dev, as a good deployment of version 3 leaves it."""
    made = FakeAws()
    made.stacks.add(NAMES.stack)
    info = made.secrets.add(NAMES.secret, json.dumps(SECRET))
    wanted = release.wanted(
        Config(),
        environment="dev",
        digest="abc",
        code_sha256="c",
        secret_arn=info.arn,
        secret_version="v1",
        response_mode="stream",
        runtime="python3.11",
    )
    config = FunctionConfig("c", wanted.memory_mb, wanted.timeout_s, wanted.environment, "python3.11")
    made.functions.add(NAMES.function, config, live="3", versions=4)
    topic = made.topics.ensure(NAMES.topic, {})
    for alarm in definitions(NAMES, Config().alarms, stage="api", topic_arn=topic):
        made.alarms.put(alarm, {})
    return made


def dev(aws: FakeAws) -> Environment:
    info = aws.secrets.kept[NAMES.secret].info
    live = Release("3", "d-old", "2026-01-01", "abc", dataclasses.asdict(Config()))
    applied = {
        "prepare_secret": Applied("f", "d-old", "t", {"arn": info.arn, "version_id": "v1"}),
        "deploy_stack": Applied("f", "d-old", "t", {"outputs": {"StageName": "api"}}),
    }
    return environment(live=live, last_good=live, applied=applied)


def checked(aws: FakeAws, *, heal: bool = False, **other: Any) -> Result:
    given: dict[str, Any] = {"environment": dev(aws), "action": Action.REVALIDATE, "options": Options(heal=heal)}
    return check_drift.run(request(**given | other), aws.as_aws())


def drifted(aws: FakeAws, *, heal: bool = False) -> PhaseFailed:
    with pytest.raises(PhaseFailed) as caught:
        checked(aws, heal=heal)
    assert caught.value.code == "Drift"
    return caught.value


def test_an_environment_as_recorded_has_none_and_nothing_is_touched(aws: FakeAws) -> None:
    told = checked(aws, heal=True)
    assert told.status is Status.SUCCEEDED
    assert (told.evidence["findings"], told.evidence["healed"], aws.functions.moves) == ([], [], [])


def test_an_alias_moved_by_hand_is_named_and_left_where_it_is(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    told = drifted(aws)
    assert told.message == f"alias: {NAMES.function}:live is version 4, not version 3"
    assert told.remedy is not None
    assert "options.heal" in told.remedy
    assert aws.functions.aliases(NAMES.function)["live"].version == "4"


def test_with_heal_it_goes_back_and_the_check_is_good(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4", {"3": 0.5}))
    told = checked(aws, heal=True)
    assert aws.functions.aliases(NAMES.function)["live"] == Alias("live", "3")
    assert told.evidence["healed"] == ["live alias put back on version 3"]


def test_alarms_that_were_removed_changed_or_silenced_are_put_back(aws: FakeAws) -> None:
    first, second, third = sorted(aws.alarms.defined)[:3]
    aws.alarms.delete([first])
    aws.alarms.defined[second] = replace(aws.alarms.defined[second], threshold=1e9)
    aws.alarms.silenced.add(third)
    assert {one["where"].split(" ")[0] for one in drifted(aws).evidence["findings"]} == {first, second, third}
    assert checked(aws, heal=True).status is Status.SUCCEEDED
    assert checked(aws).evidence["findings"] == []


def test_a_topic_that_is_gone_is_made_again_and_the_alarms_tell_it(aws: FakeAws) -> None:
    aws.topics.kept.clear()
    assert "topic" in drifted(aws).message
    checked(aws, heal=True)
    assert checked(aws).evidence["findings"] == []


def test_what_heal_cannot_put_back_still_fails_and_both_are_told(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    aws.stacks.drifted = [ResourceDrift("Role", "AWS::IAM::Role", "MODIFIED", [("/Policies", "a", "b")])]
    told = drifted(aws, heal=True)
    assert told.evidence["healed"] == ["live alias put back on version 3"]
    assert told.evidence["not_healed"] == ["stack: Role (AWS::IAM::Role) /Policies is b, not a"]


def test_an_alias_that_lambda_will_not_move_is_not_called_healed(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    aws.functions.deaf = True
    assert drifted(aws, heal=True).evidence["not_healed"]


def test_a_key_rotated_by_hand_is_told_and_is_no_drift(aws: FakeAws) -> None:
    aws.secrets.add(NAMES.secret, json.dumps(SECRET | {"api_key": "sk-tsrqponmlkjihgfedcba"}))
    told = checked(aws)
    assert "rotated since" in told.summary
    assert "sk-" not in json.dumps(told.evidence)


@pytest.mark.parametrize("text", ["not json", '{"schema": 3, "api_key": "sk-secret-secret-secret"}', "[]"])
def test_a_malformed_secret_is_drift_heal_leaves_it_to_people_and_its_text_is_not_shown(
    aws: FakeAws, text: str
) -> None:
    aws.secrets.add(NAMES.secret, text)
    told = drifted(aws, heal=True)
    assert told.evidence["findings"][0]["kind"] == "secret"
    assert "sk-secret" not in json.dumps(told.evidence) + told.message


def test_a_secret_that_is_to_be_deleted_is_drift(aws: FakeAws) -> None:
    aws.secrets.delete(NAMES.secret, 7)
    assert "scheduled for deletion" in drifted(aws).message


def test_a_live_version_with_other_settings_than_recorded_is_drift(aws: FakeAws) -> None:
    number, config = aws.functions.published[NAMES.function][2]
    aws.functions.published[NAMES.function][2] = (number, replace(config, memory_mb=128))
    assert "memory_mb is 128, not 512" in drifted(aws).message


def test_while_cloudformation_searches_it_is_asked_again_and_started_once(aws: FakeAws) -> None:
    aws.stacks.detections = [Detection("DETECTION_IN_PROGRESS"), Detection("DETECTION_COMPLETE")]
    waiting = checked(aws)
    assert (waiting.status, waiting.cursor["detection_id"]) == (Status.IN_PROGRESS, "detection-1")
    assert checked(aws, cursor=waiting.cursor).status is Status.SUCCEEDED
    assert aws.stacks.did.count("detect drift") == 1


def test_a_search_that_never_ends_or_fails_in_part_is_not_called_clean(aws: FakeAws) -> None:
    aws.stacks.detections = [Detection("DETECTION_IN_PROGRESS")]
    assert "NOT RUN" in checked(aws, after_s=3_600).summary
    aws.stacks.detections = [Detection("DETECTION_FAILED", "Failed to detect drift on resources [Role]")]
    assert "resources [Role]" in checked(aws).summary


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "DELETE_FAILED", "ROLLBACK_COMPLETE"])
def test_a_stack_that_is_not_at_rest_is_drift(aws: FakeAws, status: str) -> None:
    aws.stacks.add(NAMES.stack, status)
    assert status in drifted(aws).message


def test_a_stack_that_is_gone_is_drift(aws: FakeAws) -> None:
    del aws.stacks.standing[NAMES.stack]
    assert f"{NAMES.stack} is gone" in drifted(aws).message


def test_a_function_that_is_gone_is_drift(aws: FakeAws) -> None:
    aws.functions.latest.clear()
    assert "gone (the function)" in drifted(aws).message


def test_an_environment_without_a_release_has_nothing_to_be_held_against(aws: FakeAws) -> None:
    assert checked(aws, environment=environment()).status is Status.SKIPPED
