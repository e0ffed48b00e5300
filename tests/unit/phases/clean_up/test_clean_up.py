"""Facts about clean_up: what it removes, what it keeps, and that leftovers come with the command that removes them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.aws.stacks import StackEvent, StackResource
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.clean_up import CleanUpEvidence
from chalicelib.domain.model import Action
from chalicelib.domain.names import ENVIRONMENT_TAG, OWNER_TAG, Names
from chalicelib.domain.options import Options
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.clean_up import run as clean_up
from chalicelib.phases.clean_up.cursor import RemovalCursor
from chalicelib.ports.logs import SavedQuery

from tests.fakes import FakeAws
from tests.fakes.requests import environment, next_call, release, request, results

NAMES, OTHER = Names("dev"), Names("dev-2")
OLD, NEW = "aa" * 32, "bb" * 32
TAGS = {OWNER_TAG: "proxyctl", ENVIRONMENT_TAG: "dev"}


class Deployed(FakeAws):
    """An environment with a stack, and another environment beside it."""

    def stack_goes(self, *walk: str) -> None:
        self.stacks.walks = {"delete": [*walk, "DELETE_COMPLETE"]}


def aws() -> Deployed:
    fake = Deployed()
    fake.stacks.add(NAMES.stack, tags=TAGS, parameters={"ArtifactKey": f"artifacts/dev/{NEW}.zip"})
    fake.stacks.owned[NAMES.stack] = [
        StackResource("Function", NAMES.function, "AWS::Lambda::Function", "CREATE_COMPLETE"),
        StackResource("LogGroup", NAMES.log_group, "AWS::Logs::LogGroup", "CREATE_COMPLETE"),
        StackResource("Api", "api1", "AWS::ApiGateway::RestApi", "CREATE_COMPLETE"),
    ]
    fake.functions.add(
        NAMES.function, FunctionConfig("sha", 512, 29, {"ARTIFACT_DIGEST": NEW}, "python3.11"), live="1", versions=1
    )
    for names in (NAMES, OTHER):
        fake.alarms.put(Alarm(names.alarm("errors"), "", {}, 1), TAGS)
        fake.alarms.put_dashboard(names.dashboard, "{}")
        fake.topics.ensure(names.topic, TAGS)
        fake.logs.put_query(SavedQuery(f"{names.queries}slow", (), "", ""))
        fake.logs.add(names.log_group)
        fake.secrets.add(names.secret, "{}")
        fake.artifacts.objects[f"{names.artifacts_prefix}{NEW}.zip"] = b""
    fake.gateway.named = {NAMES.api: {"api1": TAGS}}
    fake.tagging.tagged = {
        "arn:aws:lambda:eu-central-1:123456789012:function:proxyctl-dev-proxy": TAGS,
        "arn:aws:apigateway:eu-central-1::/restapis/api1/stages/api": TAGS,
        f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{NAMES.secret}-AbCdEf": TAGS,
    }
    return fake


def delete_owned(fake: FakeAws) -> None:
    """Delete the stack's resources and their tags, as CloudFormation does."""
    fake.functions.latest.clear()
    fake.gateway.named.clear()
    fake.tagging.tagged.clear()


def remove(fake: FakeAws, **options: Any) -> Result[CleanUpEvidence]:
    current: Request = request(action=Action.CLEANUP, options=Options(**options))
    for _ in range(20):
        result = clean_up.run(current, fake.as_aws())
        if result.status is not Status.IN_PROGRESS:
            return result
        if step(result) == "verifying":
            delete_owned(fake)
        current = next_call(current, result, after_s=result.poll_after_s)
    raise AssertionError(result.summary)


def step(result: Result[CleanUpEvidence]) -> str:
    assert isinstance(result.cursor, RemovalCursor)
    return result.cursor.step


def evidence(result: Result[CleanUpEvidence]) -> CleanUpEvidence:
    assert result.evidence is not None
    return result.evidence


def test_everything_of_the_environment_goes_and_nothing_of_another() -> None:
    fake = aws()
    fake.stack_goes("DELETE_IN_PROGRESS")
    result = remove(fake, remove_secret=True, secret_recovery_days=0)
    assert evidence(result).left == ()
    assert set(fake.alarms.states) == {OTHER.alarm("errors")}
    assert set(fake.alarms.boards) == {NAMES.dashboard}  # the other environment's, too
    assert set(fake.logs.kept) == {OTHER.log_group}
    assert {query.name for query in fake.logs.saved.values()} == {f"{OTHER.queries}slow"}
    assert set(fake.secrets.kept) == {OTHER.secret}
    assert set(fake.artifacts.objects) == {f"{OTHER.artifacts_prefix}{NEW}.zip"}
    assert fake.topics.find(NAMES.topic) is None
    assert fake.topics.find(OTHER.topic)


def test_a_second_removal_removes_nothing() -> None:
    fake = aws()
    fake.stack_goes()
    remove(fake, remove_secret=True, secret_recovery_days=0)
    assert remove(fake).summary.startswith("Removed 0 resources (nothing)")


@pytest.mark.parametrize(
    ("options", "deleted", "words"),
    [
        ({}, [], "kept"),
        ({"remove_secret": True}, [(NAMES.secret, 7)], "recoverable for 7 days"),
        ({"remove_secret": True, "secret_recovery_days": 30}, [(NAMES.secret, 30)], "recoverable for 30 days"),
        ({"remove_secret": True, "secret_recovery_days": 0}, [(NAMES.secret, 0)], "deleted at once"),
    ],
)
def test_the_secret_is_kept_or_removed_as_asked(
    options: dict[str, Any], deleted: list[tuple[str, int]], words: str
) -> None:
    fake = aws()
    fake.stack_goes()
    result = remove(fake, **options)
    assert fake.secrets.deleted == deleted
    assert words in (evidence(result).secret or "")


def test_the_webhooks_signing_key_goes_with_the_secret() -> None:
    fake = aws()
    fake.stack_goes()
    fake.secrets.add(NAMES.webhook_secret, "key")
    assert evidence(remove(fake, remove_secret=True, secret_recovery_days=0)).left == ()
    assert set(fake.secrets.kept) == {OTHER.secret}


def verifying(after_s: float) -> Request:
    """A removal that verifies since 100 s, `after_s` seconds after its first call."""
    cursor = encode(RemovalCursor("verifying", secret="kept", verify_from_s=100))
    return request(action=Action.CLEANUP, cursor=cursor, after_s=after_s)


def only_tagged() -> FakeAws:
    fake = FakeAws()
    fake.tagging.tagged = {"arn:aws:sqs:eu-central-1:123456789012:deleted": TAGS}
    return fake


def test_deleted_resources_that_are_still_listed_by_tag_are_searched_for_again() -> None:
    fake = only_tagged()
    first = clean_up.run(verifying(100), fake.as_aws())
    assert first.status is Status.IN_PROGRESS
    assert first.summary == "Searching again: 1 deleted resource still listed by tag"
    fake.tagging.tagged.clear()
    assert clean_up.run(next_call(verifying(102), first), fake.as_aws()).status is Status.SUCCEEDED


GONE = (
    "arn:aws:lambda:eu-central-1:123456789012:function:proxyctl-dev-proxy",
    "arn:aws:apigateway:eu-central-1::/restapis/api1/stages/api",
    "arn:aws:sqs:eu-central-1:123456789012:proxyctl_dev_probe_d-1",
)


def test_what_is_gone_by_name_is_not_waited_for_and_the_summary_says_that_its_tag_is_still_listed() -> None:
    fake = FakeAws()
    fake.tagging.tagged = dict.fromkeys(GONE, TAGS)
    result = clean_up.run(verifying(100), fake.as_aws())
    assert result.status is Status.SUCCEEDED
    assert "None is left by name or by tag (3 are still listed by tag, and are gone by name)" in result.summary
    assert evidence(result).still_listed == tuple(sorted(GONE))


def test_after_a_deploy_what_is_gone_by_name_is_no_unexpected_resource() -> None:
    fake = aws()
    fake.tagging.tagged[GONE[2]] = TAGS
    result = sweep(fake)
    assert (result.orphans, result.still_listed) == ((), (GONE[2],))


@pytest.mark.parametrize(("endpoint_url", "pause_s", "search_s"), [("", 60, 240), ("http://127.0.0.1:1", 2, 3)])
def test_an_embedded_cloud_has_no_late_log_lines_and_lists_no_deleted_resource(
    endpoint_url: str, pause_s: int, search_s: int
) -> None:
    fake = only_tagged()
    fake.settings = dataclasses.replace(fake.settings, endpoint_url=endpoint_url)
    first = clean_up.run(request(action=Action.CLEANUP), fake.as_aws())
    assert (step(first), first.poll_after_s) == ("verifying", pause_s)
    in_time = next_call(request(action=Action.CLEANUP, after_s=pause_s + search_s - 0.1), first)
    assert clean_up.run(in_time, fake.as_aws()).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed, match="1 resource left"):
        clean_up.run(next_call(request(action=Action.CLEANUP, after_s=pause_s + search_s), first), fake.as_aws())


@pytest.mark.parametrize(
    ("options", "stays"),
    [
        ({}, True),
        ({"remove_secret": True, "secret_recovery_days": 7}, True),
        ({"remove_secret": True, "secret_recovery_days": 0}, False),
    ],
)
def test_a_secret_is_left_only_when_it_was_to_be_deleted_at_once(options: dict[str, Any], stays: bool) -> None:
    fake = FakeAws()
    fake.secrets.add(NAMES.secret, "{}")
    current = dataclasses.replace(verifying(130), options=Options(**options))
    if stays:
        assert clean_up.run(current, fake.as_aws()).status is Status.SUCCEEDED
    else:
        with pytest.raises(PhaseFailed, match=f"secret {NAMES.secret}"):
            clean_up.run(current, fake.as_aws())


@pytest.mark.parametrize(("after_s", "ends"), [(129.9, False), (130, True)])
def test_what_a_list_still_has_by_name_is_searched_for_again_for_half_a_minute(after_s: float, ends: bool) -> None:
    """A list that is read right after a deletion may have what was deleted (tests/faults: stale reads)."""
    fake = FakeAws()
    fake.gateway.named = {NAMES.api: {"api9": {}}}
    if ends:
        with pytest.raises(PhaseFailed, match="api9"):
            clean_up.run(verifying(after_s), fake.as_aws())
    else:
        assert clean_up.run(verifying(after_s), fake.as_aws()).status is Status.IN_PROGRESS


def test_the_search_by_tag_ends_after_four_minutes() -> None:
    assert clean_up.run(verifying(339.9), only_tagged().as_aws()).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed) as caught:
        clean_up.run(verifying(340), only_tagged().as_aws())
    assert caught.value.code == "SomethingLeft"


def test_the_pauses_between_two_searches_grow() -> None:
    current, pauses = verifying(100), []
    for _ in range(6):
        result = clean_up.run(current, only_tagged().as_aws())
        pauses.append(result.poll_after_s)
        current = next_call(current, result)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_a_removal_that_waits_for_another_operation_ends_after_45_minutes() -> None:
    fake = aws()
    fake.stacks.add(NAMES.stack, "UPDATE_IN_PROGRESS")
    assert clean_up.run(request(action=Action.CLEANUP, after_s=2_700), fake.as_aws()).status is Status.IN_PROGRESS
    with pytest.raises(PhaseFailed) as caught:
        clean_up.run(request(action=Action.CLEANUP, after_s=2_701), fake.as_aws())
    assert (caught.value.code, fake.stacks.did) == ("RemovalTimeout", [])


@pytest.mark.parametrize("where", ["stack", "record"])
def test_a_protected_environment_is_refused_before_anything_is_deleted(where: str) -> None:
    fake = aws()
    live = release("1")
    if where == "stack":
        fake.stacks.add(NAMES.stack, protected=True)
    else:
        live = dataclasses.replace(live, config={"protected": True})
    with pytest.raises(PhaseFailed) as caught:
        clean_up.run(request(action=Action.CLEANUP, environment=environment(live=live)), fake.as_aws())
    assert caught.value.field == "config.protected"
    assert fake.stacks.did == []
    assert NAMES.alarm("errors") in fake.alarms.states


def test_foreign_objects_are_refused_by_name_before_anything_is_deleted() -> None:
    fake = aws()
    fake.artifacts.objects["artifacts/dev/backup-of-bob.tar"] = b""
    with pytest.raises(PhaseFailed, match=r"backup-of-bob\.tar") as caught:
        remove(fake)
    assert caught.value.code == "ForeignObjects"
    assert fake.stacks.did == []


def test_a_log_group_that_late_lines_create_again_is_deleted_again() -> None:
    fake = aws()
    fake.stack_goes()
    fake.logs.returns = [NAMES.log_group]
    assert remove(fake).status is Status.SUCCEEDED
    assert NAMES.log_group not in fake.logs.kept


def test_a_stack_is_deleted_twice_at_most_and_the_failure_names_its_cause() -> None:
    fake = aws()
    fake.stacks.walks = {"delete": ["DELETE_FAILED"]}
    fake.stacks.past_events = [StackEvent("1", "", "Role", "AWS::IAM::Role", "DELETE_FAILED", "has an attached policy")]
    with pytest.raises(PhaseFailed, match="has an attached policy"):
        remove(fake)
    assert fake.stacks.did.count("delete") == 2


def test_the_dashboard_of_all_goes_with_the_last_environment() -> None:
    """Issue 10, row y: one dashboard, since each from the fourth on costs $3 a month."""
    fake = aws()
    fake.stack_goes("DELETE_IN_PROGRESS")
    fake.alarms.delete([OTHER.alarm("errors")])
    assert evidence(remove(fake, remove_secret=True, secret_recovery_days=0)).left == ()
    assert fake.alarms.boards == {}


def test_leftovers_are_listed_with_the_command_that_removes_them() -> None:
    fake = aws()
    fake.stack_goes()
    delete_owned(fake)
    del fake.stacks.standing[NAMES.stack]
    fake.gateway.named = {NAMES.api: {"api9": {}}}
    fake.artifacts.objects.clear()
    fake.topics.kept.clear()
    fake.logs.saved.clear()
    fake.logs.kept.clear()
    fake.alarms.delete([NAMES.alarm("errors")])
    fake.alarms.delete_dashboards([NAMES.dashboard])
    fake.tagging.tagged = {"arn:aws:sqs:eu-central-1:123456789012:forgotten": TAGS}
    with pytest.raises(PhaseFailed) as caught:
        clean_up.run(verifying(130), fake.as_aws())
    left = {item.kind: item for item in caught.value.evidence["left"]}
    assert left["api"].command == "aws --region eu-central-1 apigateway delete-rest-api --rest-api-id api9"
    assert left["queue"].found_by == "tag"
    assert set(left) == {"api", "queue"}


def sweep(fake: FakeAws, **other: Any) -> CleanUpEvidence:
    return evidence(clean_up.run(request(**other), fake.as_aws()))


def test_after_a_deploy_every_resource_of_a_clean_environment_is_expected() -> None:
    fake = aws()
    before = dict(fake.artifacts.objects)
    result = sweep(fake)
    assert result.orphans == ()
    assert fake.artifacts.objects == before
    assert fake.stacks.did == []


def test_after_a_deploy_superseded_artifacts_probes_and_load_files_go() -> None:
    fake = aws()
    for key in (f"artifacts/dev/{OLD}.zip", f"artifacts/dev/{OLD}.cdx.json", "load/d-new/shard", "load/d-old/shard"):
        fake.artifacts.objects[key] = b""
    fake.topics.queues = {"https://sqs/1/proxyctl_dev_probe_d-crashed": [], "https://sqs/1/proxyctl_dev-2_probe_x": []}
    result = sweep(fake)
    assert result.removed == {"probe queues": 1, "superseded artifacts": 2, "load-test files": 1}
    assert f"artifacts/dev/{OLD}.zip" not in fake.artifacts.objects
    assert {f"artifacts/dev/{NEW}.zip", "load/d-old/shard"} <= set(fake.artifacts.objects)
    assert set(fake.topics.queues) == {"https://sqs/1/proxyctl_dev-2_probe_x"}


def test_an_artifact_that_a_version_is_made_of_stays() -> None:
    fake = aws()
    fake.artifacts.objects[f"artifacts/dev/{OLD}.zip"] = b""
    version, config = fake.functions.published[NAMES.function][0]
    fake.functions.published[NAMES.function] = [(dataclasses.replace(version, artifact_digest=OLD), config)]
    sweep(fake)
    assert f"artifacts/dev/{OLD}.zip" in fake.artifacts.objects


def test_the_artifact_of_the_unpublished_code_stays() -> None:
    fake = aws()
    fake.artifacts.objects[f"artifacts/dev/{OLD}.zip"] = b""
    latest = fake.functions.latest[NAMES.function]
    fake.functions.latest[NAMES.function] = dataclasses.replace(latest, environment={"ARTIFACT_DIGEST": OLD})
    sweep(fake)
    assert f"artifacts/dev/{OLD}.zip" in fake.artifacts.objects


def test_an_unexpected_resource_with_the_environments_tag_is_named_not_removed() -> None:
    fake = aws()
    fake.tagging.tagged["arn:aws:sqs:eu-central-1:123456789012:someones-queue"] = TAGS
    fake.artifacts.objects["artifacts/dev/notes.txt"] = b""
    result = sweep(fake)
    assert {orphan.name for orphan in result.orphans or ()} == {
        "arn:aws:sqs:eu-central-1:123456789012:someones-queue",
        "proxyctl-123456789012-eu-central-1/artifacts/dev/notes.txt",
    }
    assert "artifacts/dev/notes.txt" in fake.artifacts.objects


def test_the_artifact_of_this_deployment_stays_although_no_version_is_made_of_it_yet() -> None:
    fake = aws()
    fake.artifacts.objects[f"artifacts/dev/{OLD}.zip"] = b""
    result = clean_up.run(request(results=results(ArtifactEvidence(digest=OLD))), fake.as_aws())
    assert result.summary == "The rollout left nothing to remove. No unexpected resources"
    assert f"artifacts/dev/{OLD}.zip" in fake.artifacts.objects
