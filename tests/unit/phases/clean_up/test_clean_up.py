"""Facts about clean_up: what goes, what must not, and that what is left is told with the command that removes it."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest
from chalicelib.domain.aws.alarms import Alarm
from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.aws.stacks import StackEvent, StackResource
from chalicelib.domain.config import Options
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action
from chalicelib.domain.names import ENVIRONMENT_TAG, OWNER_TAG, Names
from chalicelib.engine.phase import Request, Result, Status
from chalicelib.phases.clean_up import run as clean_up
from chalicelib.ports.logs import SavedQuery

from tests.fakes import FakeAws
from tests.fakes.requests import environment, release, request

NAMES, OTHER = Names("dev"), Names("dev-2")
OLD, NEW = "aa" * 32, "bb" * 32
TAGS = {OWNER_TAG: "proxyctl", ENVIRONMENT_TAG: "dev"}


def code(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()


class Standing(FakeAws):
    """An environment that stands, with another beside it. Deleting the stack takes its resources away."""

    def stack_goes(self, *walk: str) -> None:
        self.stacks.walks = {"delete": [*walk, "DELETE_COMPLETE"]}


def aws() -> Standing:
    fake = Standing()
    fake.stacks.add(NAMES.stack, tags=TAGS, parameters={"ArtifactKey": f"artifacts/dev/{NEW}.zip"})
    fake.stacks.owned[NAMES.stack] = [
        StackResource("Function", NAMES.function, "AWS::Lambda::Function", "CREATE_COMPLETE"),
        StackResource("LogGroup", NAMES.log_group, "AWS::Logs::LogGroup", "CREATE_COMPLETE"),
        StackResource("Api", "api1", "AWS::ApiGateway::RestApi", "CREATE_COMPLETE"),
    ]
    fake.functions.add(NAMES.function, FunctionConfig(code(NEW), 512, 29, {}, "python3.11"), live="1", versions=1)
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


def vanish(fake: FakeAws) -> None:
    """What CloudFormation takes along, and the tags of it."""
    fake.functions.latest.clear()
    fake.gateway.named.clear()
    fake.tagging.tagged.clear()


def remove(fake: FakeAws, **options: Any) -> Result:
    asked: Request = request(action=Action.CLEANUP, options=Options(**options))
    for _ in range(20):
        result = clean_up.run(asked, fake.as_aws())
        if result.status is not Status.IN_PROGRESS:
            return result
        if result.cursor.get("step") == "prove":
            vanish(fake)
        asked = dataclasses.replace(asked, cursor=result.cursor)
    raise AssertionError(result.summary)


def test_everything_of_the_environment_goes_and_nothing_of_its_neighbour() -> None:
    fake = aws()
    fake.stack_goes("DELETE_IN_PROGRESS")
    result = remove(fake, remove_secret=True, secret_recovery_days=0)
    assert result.evidence["left"] == []
    assert set(fake.alarms.states) == {OTHER.alarm("errors")}
    assert set(fake.alarms.boards) == {OTHER.dashboard}
    assert set(fake.logs.kept) == {OTHER.log_group}
    assert {query.name for query in fake.logs.saved.values()} == {f"{OTHER.queries}slow"}
    assert set(fake.secrets.kept) == {OTHER.secret}
    assert set(fake.artifacts.objects) == {f"{OTHER.artifacts_prefix}{NEW}.zip"}
    assert fake.topics.find(NAMES.topic) is None
    assert fake.topics.find(OTHER.topic)


def test_twice_is_nothing_the_second_time() -> None:
    fake = aws()
    fake.stack_goes()
    remove(fake, remove_secret=True, secret_recovery_days=0)
    assert remove(fake).summary.startswith("Removed 0 things (nothing)")


@pytest.mark.parametrize(
    ("options", "deleted", "told"),
    [
        ({}, [], "kept"),
        ({"remove_secret": True}, [(NAMES.secret, 7)], "recoverable for 7 days"),
        ({"remove_secret": True, "secret_recovery_days": 30}, [(NAMES.secret, 30)], "recoverable for 30 days"),
        ({"remove_secret": True, "secret_recovery_days": 0}, [(NAMES.secret, 0)], "deleted at once"),
    ],
)
def test_the_secret_is_kept_or_removed_as_asked(
    options: dict[str, Any], deleted: list[tuple[str, int]], told: str
) -> None:
    fake = aws()
    fake.stack_goes()
    result = remove(fake, **options)
    assert fake.secrets.deleted == deleted
    assert told in result.evidence["secret"]


def test_the_webhooks_signing_key_goes_with_the_secret() -> None:
    fake = aws()
    fake.stack_goes()
    fake.secrets.add(NAMES.webhook_secret, "key")
    assert remove(fake, remove_secret=True, secret_recovery_days=0).evidence["left"] == []
    assert set(fake.secrets.kept) == {OTHER.secret}


def test_what_tagging_lists_a_while_longer_is_looked_for_again() -> None:
    fake = aws()
    fake.stack_goes()
    asked: Request = request(action=Action.CLEANUP, options=Options(remove_secret=True, secret_recovery_days=0))
    told: list[str] = []
    for _ in range(20):
        result = clean_up.run(asked, fake.as_aws())
        told.append(result.summary)
        if result.status is not Status.IN_PROGRESS:
            break
        if result.cursor.get("step") == "prove":
            fake.functions.latest.clear()
            fake.gateway.named.clear()
        if result.cursor.get("tag_looks"):
            fake.tagging.tagged.clear()
        asked = dataclasses.replace(asked, cursor=result.cursor)
    assert result.status is Status.SUCCEEDED
    assert any("still listed by tag" in words for words in told)


@pytest.mark.parametrize("where", ["stack", "record"])
def test_a_protected_environment_is_refused_before_anything_is_touched(where: str) -> None:
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


def test_foreign_objects_are_refused_by_name_before_anything_is_touched() -> None:
    fake = aws()
    fake.artifacts.objects["artifacts/dev/backup-of-bob.tar"] = b""
    with pytest.raises(PhaseFailed, match=r"backup-of-bob\.tar") as caught:
        remove(fake)
    assert caught.value.code == "ForeignObjects"
    assert fake.stacks.did == []


def test_a_log_group_that_late_lines_bring_back_is_deleted_again() -> None:
    fake = aws()
    fake.stack_goes()
    fake.logs.returns = [NAMES.log_group]
    assert remove(fake).status is Status.SUCCEEDED
    assert NAMES.log_group not in fake.logs.kept


def test_a_stack_that_cannot_be_deleted_is_tried_twice_and_told_with_its_cause() -> None:
    fake = aws()
    fake.stacks.walks = {"delete": ["DELETE_FAILED"]}
    fake.stacks.told = [StackEvent("1", "", "Role", "AWS::IAM::Role", "DELETE_FAILED", "has an attached policy")]
    with pytest.raises(PhaseFailed, match="has an attached policy"):
        remove(fake)
    assert fake.stacks.did.count("delete") == 2


def test_what_is_left_is_listed_with_the_command_that_removes_it() -> None:
    fake = aws()
    fake.stack_goes()
    asked = request(action=Action.CLEANUP, cursor={"step": "prove", "found": {}, "secret": "kept", "looks": 0})
    vanish(fake)
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
        clean_up.run(asked, fake.as_aws())
    left = {item["kind"]: item for item in caught.value.evidence["left"]}
    assert left["api"]["command"] == "aws --region eu-central-1 apigateway delete-rest-api --rest-api-id api9"
    assert left["queue"]["found_by"] == "tag"
    assert set(left) == {"api", "queue"}


def sweep(fake: FakeAws, **other: Any) -> Result:
    return clean_up.run(request(**other), fake.as_aws())


def test_after_a_deploy_a_clean_environment_is_left_alone_and_all_of_it_is_known() -> None:
    fake = aws()
    before = dict(fake.artifacts.objects)
    result = sweep(fake)
    assert result.evidence["orphans"] == []
    assert fake.artifacts.objects == before
    assert fake.stacks.did == []


def test_after_a_deploy_superseded_artifacts_probes_and_load_files_go() -> None:
    fake = aws()
    for key in (f"artifacts/dev/{OLD}.zip", f"artifacts/dev/{OLD}.cdx.json", "load/d-new/shard", "load/d-old/shard"):
        fake.artifacts.objects[key] = b""
    fake.topics.queues = {"https://sqs/1/proxyctl_dev_probe_d-crashed": [], "https://sqs/1/proxyctl_dev-2_probe_x": []}
    result = sweep(fake)
    assert result.evidence["removed"] == {"probe queues": 1, "superseded artifacts": 2, "load-test files": 1}
    assert f"artifacts/dev/{OLD}.zip" not in fake.artifacts.objects
    assert {f"artifacts/dev/{NEW}.zip", "load/d-old/shard"} <= set(fake.artifacts.objects)
    assert set(fake.topics.queues) == {"https://sqs/1/proxyctl_dev-2_probe_x"}


def test_an_artifact_that_a_version_is_made_of_stays() -> None:
    fake = aws()
    fake.artifacts.objects[f"artifacts/dev/{OLD}.zip"] = b""
    version, config = fake.functions.published[NAMES.function][0]
    fake.functions.published[NAMES.function] = [(dataclasses.replace(version, code_sha256=code(OLD)), config)]
    sweep(fake)
    assert f"artifacts/dev/{OLD}.zip" in fake.artifacts.objects


def test_something_with_the_environments_tag_that_nobody_knows_is_named_not_removed() -> None:
    fake = aws()
    fake.tagging.tagged["arn:aws:sqs:eu-central-1:123456789012:someones-queue"] = TAGS
    fake.artifacts.objects["artifacts/dev/notes.txt"] = b""
    result = sweep(fake)
    assert {orphan["name"] for orphan in result.evidence["orphans"]} == {
        "arn:aws:sqs:eu-central-1:123456789012:someones-queue",
        "proxyctl-123456789012-eu-central-1/artifacts/dev/notes.txt",
    }
    assert "artifacts/dev/notes.txt" in fake.artifacts.objects
