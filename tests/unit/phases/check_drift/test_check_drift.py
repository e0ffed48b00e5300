"""Facts about check_drift: drift fails the check, and is restored only with `options.heal` and where it is safe."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from chalicelib.domain.aws.functions import Alias, FunctionConfig
from chalicelib.domain.aws.stacks import Detection, ResourceDrift
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.drift import DriftEvidence
from chalicelib.domain.model import Action, Applied, Environment, Release
from chalicelib.domain.names import Names
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.monitoring.alarms import definitions
from chalicelib.monitoring.dashboard import filters
from chalicelib.phases.check_drift import run as check_drift
from chalicelib.release import release

from tests.fakes import FakeAws
from tests.fakes.requests import NOW, environment, next_call, request
from tests.fakes.standing import stand

NAMES = Names("dev")
SECRET = {"schema": 1, "api_key": "sk-abcdefghijklmnopqrst", "models": {}}


@pytest.fixture
def aws() -> FakeAws:
    """Environment dev, as a good deployment of version 3 leaves it."""
    fake = FakeAws()
    fake.stacks.add(NAMES.stack)
    info = fake.secrets.add(NAMES.secret, json.dumps(SECRET))
    wanted = release.wanted(
        Config(),
        environment="dev",
        digest="abc",
        code_sha256="c",
        secret_arn=info.arn,
        response_mode="stream",
        runtime="python3.11",
    )
    config = FunctionConfig("c", wanted.memory_mb, wanted.timeout_s, wanted.environment, "python3.11")
    stand(fake)
    fake.functions.add(NAMES.function, config, live="3", versions=4)
    topic = fake.topics.ensure(NAMES.topic, {})
    fake.alarms.put_dashboard(NAMES.dashboard, "{}")
    for metric_filter in filters(NAMES):
        fake.logs.put_filter(metric_filter)
    for alarm in definitions(NAMES, Config().alarms, stage="api", topic_arn=topic):
        fake.alarms.put(alarm, {})
    return fake


def dev(aws: FakeAws) -> Environment:
    info = aws.secrets.kept[NAMES.secret].info
    live = Release("3", "d-old", "2026-01-01", "abc", dataclasses.asdict(Config()))
    applied = {
        "prepare_secret": Applied("f", "d-old", "t", {"arn": info.arn, "version_id": "v1"}),
        "deploy_stack": Applied("f", "d-old", "t", {"outputs": {"StageName": "api"}}),
    }
    return environment(live=live, last_good=live, applied=applied)


def ask(aws: FakeAws, *, heal: bool = False, **other: Any) -> Request:
    defaults: dict[str, Any] = {"environment": dev(aws), "action": Action.REVALIDATE, "options": Options(heal=heal)}
    return request(**defaults | other)


def check(aws: FakeAws, *, heal: bool = False, **other: Any) -> Result[DriftEvidence]:
    return check_drift.run(ask(aws, heal=heal, **other), aws.as_aws())


def evidence(result: Result[DriftEvidence]) -> DriftEvidence:
    assert result.evidence is not None
    return result.evidence


def drifted(aws: FakeAws, *, heal: bool = False) -> PhaseFailed:
    with pytest.raises(PhaseFailed) as caught:
        check(aws, heal=heal)
    assert caught.value.code == "Drift"
    return caught.value


def test_an_environment_as_recorded_has_no_findings_and_nothing_is_changed(aws: FakeAws) -> None:
    result = check(aws, heal=True)
    assert result.status is Status.SUCCEEDED
    assert (evidence(result), aws.functions.moves) == (DriftEvidence(), [])


def test_an_alias_moved_by_hand_is_named_and_left_where_it_is(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    failure = drifted(aws)
    assert failure.message == f"alias: {NAMES.function}:live is version 4, not version 3"
    assert failure.remedy is not None
    assert "options.heal" in failure.remedy
    assert aws.functions.aliases(NAMES.function)["live"].version == "4"


def test_with_heal_the_alias_goes_back_and_the_check_passes(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4", {"3": 0.5}))
    result = check(aws, heal=True)
    assert aws.functions.aliases(NAMES.function)["live"] == Alias("live", "3")
    assert evidence(result).healed == ("live alias put back on version 3",)


def test_what_heal_put_back_stays_in_the_evidence_as_it_was_before(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    aws.alarms.delete([first := min(aws.alarms.defined)])
    kept = evidence(check(aws, heal=True))
    assert [(row.kind, row.found) for row in kept.repaired] == [("alias", "version 4"), ("alarm", "gone")]
    assert first in kept.repaired[1].where
    assert kept.findings == ()


def test_a_night_leaves_an_alias_that_someone_moved_and_heals_all_else(aws: FakeAws) -> None:
    """Someone who goes back by hand in an emergency must not find users on the bad version again next morning."""
    aws.functions.point(NAMES.function, Alias("live", "4"))
    aws.alarms.delete([min(aws.alarms.defined)])
    with pytest.raises(PhaseFailed) as caught:
        check(aws, options=Options(heal=True, leave_alias=True))
    assert aws.functions.aliases(NAMES.function)["live"].version == "4"
    assert [row["kind"] for row in caught.value.evidence["findings"]] == ["alias"]
    assert [row["kind"] for row in caught.value.evidence["repaired"]] == ["alarm"]


def test_an_alias_that_is_gone_comes_back_without_the_other_being_moved(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    del aws.functions.pointed[NAMES.function]["candidate"]
    with pytest.raises(PhaseFailed):
        check(aws, options=Options(heal=True, leave_alias=True))
    aliases = aws.functions.aliases(NAMES.function)
    assert (aliases["candidate"].version, aliases["live"].version) == ("3", "4")


def test_alarms_that_were_removed_changed_or_silenced_are_restored(aws: FakeAws) -> None:
    first, second, third = sorted(aws.alarms.defined)[:3]
    aws.alarms.delete([first])
    aws.alarms.defined[second] = replace(aws.alarms.defined[second], threshold=1e9)
    aws.alarms.silenced.add(third)
    assert {finding["where"].split(" ")[0] for finding in drifted(aws).evidence["findings"]} == {first, second, third}
    assert check(aws, heal=True).status is Status.SUCCEEDED
    assert evidence(check(aws)).findings == ()


def test_a_deleted_topic_is_created_again_and_the_alarms_notify_it(aws: FakeAws) -> None:
    aws.topics.kept.clear()
    assert "topic" in drifted(aws).message
    check(aws, heal=True)
    assert evidence(check(aws)).findings == ()


def test_drift_that_heal_cannot_restore_still_fails_and_both_are_in_the_evidence(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    aws.stacks.drifted = [ResourceDrift("Role", "AWS::IAM::Role", "MODIFIED", [("/Policies", "a", "b")])]
    failure = drifted(aws, heal=True)
    assert failure.evidence["healed"] == ["live alias put back on version 3"]
    assert failure.evidence["not_healed"] == ["stack: Role (AWS::IAM::Role) /Policies is b, not a"]


def again(aws: FakeAws, before: Result[DriftEvidence], after_s: float) -> Result[DriftEvidence]:
    """The call after one that waits, so many seconds after the phase began."""
    return check(aws, heal=True, cursor=encode(before.cursor), now=NOW + timedelta(seconds=after_s))


def test_an_alias_that_lambda_will_not_move_is_not_called_healed(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    aws.functions.deaf = True
    waiting = check(aws, heal=True)
    assert again(aws, waiting, 29).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed) as raised:
        again(aws, waiting, 30)
    assert raised.value.evidence["not_healed"]


def test_what_is_seen_only_later_as_it_was_put_back_is_healed_once(aws: FakeAws) -> None:
    """Lambda's lists are eventually consistent; found by the matrix of faults."""
    aws.functions.point(NAMES.function, Alias("live", "4"))
    aws.functions.deaf = True
    waiting = check(aws, heal=True)
    aws.functions.deaf = False
    moves = len(aws.functions.moves)
    aws.functions.pointed[NAMES.function]["live"] = Alias("live", "3")
    result = again(aws, waiting, 5)
    assert (evidence(result).healed, len(aws.functions.moves)) == (("live alias put back on version 3",), moves)
    assert [finding.kind for finding in evidence(result).repaired] == ["alias"]


def test_a_key_rotated_by_hand_is_a_note_and_no_drift(aws: FakeAws) -> None:
    aws.secrets.add(NAMES.secret, json.dumps(SECRET | {"api_key": "sk-tsrqponmlkjihgfedcba"}))
    result = check(aws)
    assert "rotated since" in result.summary
    assert "sk-" not in json.dumps(encode(result.evidence))


@pytest.mark.parametrize("text", ["not json", '{"schema": 3, "api_key": "sk-secret-secret-secret"}', "[]"])
def test_a_malformed_secret_is_drift_that_heal_leaves_and_its_text_is_not_shown(aws: FakeAws, text: str) -> None:
    aws.secrets.add(NAMES.secret, text)
    failure = drifted(aws, heal=True)
    assert failure.evidence["findings"][0]["kind"] == "secret"
    assert "sk-secret" not in json.dumps(failure.evidence) + failure.message


def test_a_secret_that_is_to_be_deleted_is_drift(aws: FakeAws) -> None:
    aws.secrets.delete(NAMES.secret, 7)
    assert "scheduled for deletion" in drifted(aws).message


def test_a_live_version_with_other_settings_than_recorded_is_drift(aws: FakeAws) -> None:
    number, config = aws.functions.published[NAMES.function][2]
    aws.functions.published[NAMES.function][2] = (number, replace(config, memory_mb=128))
    assert "memory_mb is 128, not 512" in drifted(aws).message


def test_drift_detection_is_started_once_and_waited_for(aws: FakeAws) -> None:
    aws.stacks.detections = [Detection("DETECTION_IN_PROGRESS"), Detection("DETECTION_COMPLETE")]
    waiting = check(aws)
    assert (waiting.status, waiting.cursor) == (Status.IN_PROGRESS, check_drift.DriftCursor("detection-1"))
    assert check_drift.run(next_call(ask(aws), waiting), aws.as_aws()).status is Status.SUCCEEDED
    assert aws.stacks.did.count("detect drift") == 1


def test_a_detection_that_does_not_end_or_fails_in_part_is_noted_as_not_run(aws: FakeAws) -> None:
    aws.stacks.detections = [Detection("DETECTION_IN_PROGRESS")]
    assert "NOT RUN" in check(aws, after_s=3_600).summary
    aws.stacks.detections = [Detection("DETECTION_FAILED", "Failed to detect drift on resources [Role]")]
    assert "resources [Role]" in check(aws).summary


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "DELETE_FAILED", "ROLLBACK_COMPLETE"])
def test_a_stack_in_a_state_that_no_deployment_leaves_is_drift(aws: FakeAws, status: str) -> None:
    aws.stacks.add(NAMES.stack, status)
    assert status in drifted(aws).message


def test_a_stack_that_is_gone_is_drift(aws: FakeAws) -> None:
    del aws.stacks.standing[NAMES.stack]
    assert f"{NAMES.stack} is gone" in drifted(aws).message


def test_a_function_that_is_gone_is_drift(aws: FakeAws) -> None:
    aws.functions.latest.clear()
    assert "gone (the function)" in drifted(aws).message


def test_an_environment_without_a_live_release_is_skipped(aws: FakeAws) -> None:
    assert check(aws, environment=environment()).status is Status.SKIPPED


def test_the_detection_of_drift_is_waited_for_ten_minutes(aws: FakeAws) -> None:
    aws.stacks.detections = [Detection("DETECTION_IN_PROGRESS")]
    assert check(aws, after_s=600).status is Status.IN_PROGRESS
    late = check(aws, after_s=601)
    assert (late.status, [finding.severity for finding in evidence(late).findings]) == (Status.SUCCEEDED, ["info"])


def test_without_heal_nothing_counts_as_not_healed(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    assert drifted(aws).evidence["not_healed"] == []


def test_the_record_of_a_failed_check_has_all_fields(aws: FakeAws) -> None:
    aws.functions.point(NAMES.function, Alias("live", "4"))
    assert set(drifted(aws).evidence) == {"findings", "healed", "not_healed", "repaired"}
    assert set(drifted(aws).evidence["findings"][0]) == {
        "kind",
        "where",
        "expected",
        "found",
        "remedy",
        "severity",
        "heals",
        "deliberate",
    }


def test_a_live_version_that_was_deleted_is_drift(aws: FakeAws) -> None:
    del aws.functions.published[NAMES.function][2]
    assert f"{NAMES.function}:3 is gone, not there" in drifted(aws).message


def test_a_recipient_too_many_or_too_few_is_drift_and_healed(aws: FakeAws) -> None:
    wanted, extra = (f"arn:aws:sqs:eu-central-1:123456789012:{name}" for name in ("wanted", "extra"))
    topic = aws.topics.ensure(NAMES.topic, {})
    aws.topics.subscribe(topic, "sqs", extra)
    stands = dev(aws)
    assert stands.live is not None
    live = replace(stands.live, config=dataclasses.asdict(Config(notify=(wanted,))))
    with pytest.raises(PhaseFailed) as caught:
        check(aws, environment=replace(stands, live=live))
    assert f"{extra} is subscribed, not no recipient" in caught.value.message
    assert f"{wanted} is no recipient, not subscribed" in caught.value.message
    check(aws, heal=True, environment=replace(stands, live=live))
    assert set(aws.topics.subscribers(topic)) == {wanted}


@pytest.mark.parametrize("what", ["dashboard proxyctl", "metric filter proxyctl/dev/crashes"])
def test_a_lost_dashboard_or_filter_is_named_with_the_deploy_as_remedy(aws: FakeAws, what: str) -> None:
    aws.alarms.boards.clear() if what.startswith("dashboard") else aws.logs.delete_filter(
        NAMES.log_group, "proxyctl/dev/crashes"
    )
    failure = drifted(aws)
    assert what in failure.message
    assert "Deploy" in str(failure.remedy)


def test_a_secret_whose_deletion_is_scheduled_is_named_and_healed(aws: FakeAws) -> None:
    aws.secrets.delete(NAMES.secret, 7)
    assert "scheduled for deletion" in drifted(aws).message
    result = check(aws, heal=True)
    assert evidence(result).healed == ("the scheduled deletion of the secret is cancelled",)
    assert not aws.secrets.kept[NAMES.secret].info.doomed


def test_a_permission_that_was_removed_is_named_and_healed(aws: FakeAws) -> None:
    aws.functions.granted["live"] = []
    assert "permission of alias live" in drifted(aws).message
    check(aws, heal=True)
    assert [item.principal for item in aws.functions.granted["live"]] == ["apigateway.amazonaws.com"]


def test_a_role_that_was_deleted_is_named_and_left_to_a_deploy(aws: FakeAws) -> None:
    aws.identity.roles.clear()
    failure = drifted(aws, heal=True)
    assert "role proxyctl-dev-proxy-eu-central-1 is gone" in failure.message
    assert "Deploy" in str(failure.remedy)
