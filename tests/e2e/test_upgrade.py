"""The control plane rolls itself: forward and back, under a running rollout, and killed in each of its steps."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.described.effects import CONFIG_FIELDS

from tests.e2e import upgrading
from tests.e2e.holding import execution_of
from tests.e2e.rolling import Embedded, Rolled, ended, phase, roll, start, until
from tests.e2e.upgrading import STEPS, begin, free, marked, reached, upgraded, uploaded

pytestmark = pytest.mark.long
TABLE = "proxyctl"


def health(embedded: Embedded) -> dict[str, Any]:
    return dict(embedded.client.health())


def works(embedded: Embedded) -> None:
    """API, table and state machine answer, and all functions are on one publication."""
    assert health(embedded)["status"] == "ok"
    assert health(embedded)["release"] == upgrading.stack(embedded)["Release"]
    assert upgrading.stack(embedded)["Stage"] == "live"
    assert set(upgrading.live_versions(embedded).values())


def test_an_upgrade_under_a_running_rollout_leaves_it_on_the_versions_that_it_began_with(rolled: Rolled) -> None:
    embedded = rolled.embedded
    before = upgrading.live_versions(embedded)
    options = {"approval": "required", "force": True}
    deployment = start(embedded, rolled.environment, options=options, config={"memory_mb": 640})
    until("the rollout waits", lambda: embedded.client.deployment(deployment)["status"] == "WAITING_APPROVAL", 200.0)
    answer = upgraded(embedded, marked("under a running rollout"))
    assert answer["status"] == "SUCCEEDED", answer["summary"]
    after = upgrading.live_versions(embedded)
    assert all(after[name] != before[name] for name in before)
    assert embedded.call("POST", f"/deployments/{deployment}/approve")[0] == 202
    finished = ended(embedded, deployment)
    assert finished["status"] == "SUCCEEDED", finished["summary"]
    arn = execution_of(embedded, deployment)["executionArn"]
    lambdas = upgrading.lambdas_of(embedded, arn)
    assert {"AcquireLock", "ShiftTraffic", "RecordOutcome"} <= set(lambdas)
    for state, resource in lambdas.items():
        name, version = resource.split(":")[-2:]
        assert version == before[name], state
    works(embedded)


def test_a_release_that_would_ignore_what_an_environment_uses_is_refused(rolled: Rolled) -> None:
    embedded = rolled.embedded
    deployment = roll(embedded, rolled.environment, config={"memory_mb": 704})
    assert deployment["status"] == "SUCCEEDED", deployment["summary"]
    fields = tuple(field for field in CONFIG_FIELDS if field != "config.memory_mb")
    bundle = uploaded(embedded, marked("without a field"), config_fields=fields)
    refused = ended(embedded, begin(embedded, bundle, force=True))
    free(embedded)
    assert (refused["error"]["code"], refused["error"]["field"]) == ("FieldUnknown", "config.memory_mb")
    assert f"environment {rolled.environment} uses" in refused["error"]["message"]


def test_a_broken_candidate_is_never_promoted(embedded: Embedded) -> None:
    def broken(template: dict[str, Any]) -> None:
        template["Resources"]["LoadTest"]["Properties"]["Handler"] = "app.no_such_task"

    before, versions = health(embedded)["release"], upgrading.live_versions(embedded)
    answer = upgraded(embedded, broken)
    assert answer["status"] in ("FAILED", "ROLLED_BACK"), answer["summary"]
    assert answer["error"]["code"] == "CandidateBroken"
    assert "LoadTest" in answer["error"]["message"]
    assert health(embedded)["release"] == before
    assert upgrading.live_versions(embedded).keys() == versions.keys()
    works(embedded)


def test_a_release_that_does_not_serve_after_its_promotion_goes_back(embedded: Embedded) -> None:
    def broken(template: dict[str, Any]) -> None:
        failing = '{"StartAt": "No", "States": {"No": {"Type": "Fail"}}}'
        template["Resources"]["StateMachine"]["Properties"]["DefinitionString"] = failing

    before = health(embedded)["release"]
    answer = upgraded(embedded, broken)
    assert (answer["status"], answer["error"]["code"]) == ("ROLLED_BACK", "NotServing"), answer["summary"]
    assert health(embedded)["release"] == before
    works(embedded)


def test_a_release_that_needs_more_rights_is_refused_with_what_to_do(embedded: Embedded) -> None:
    def wider(template: dict[str, Any]) -> None:
        template["Resources"]["ControlPlaneBoundary"]["Properties"]["Description"] = "wider"

    answer = upgraded(embedded, wider)
    assert (answer["status"], answer["error"]["code"]) == ("FAILED", "NeedsAPerson")
    assert "up --direct" in answer["error"]["remedy"]
    works(embedded)


def table_format(embedded: Embedded) -> int:
    key = {"pk": {"S": "FORMAT"}, "sk": {"S": "META"}}
    return int(embedded.boto("dynamodb").get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]["format"]["N"])


def listed_beside(embedded: Embedded) -> int:
    """How many records have an item LISTED, as format 2 has it."""
    pages = embedded.boto("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
    return sum(item["sk"]["S"] == "LISTED" for page in pages for item in page["Items"])


def test_a_downgrade_needs_consent_and_gives_the_table_its_older_format_and_an_upgrade_the_newer(
    embedded: Embedded,
) -> None:
    newer = upgraded(embedded, marked("newer"), version="9.0.0")
    assert newer["status"] == "SUCCEEDED", newer["summary"]
    assert (health(embedded)["version"], table_format(embedded)) == ("9.0.0", 2)
    listed = [row["id"] for row in embedded.client.deployments()]
    refused = ended(embedded, begin(embedded, uploaded(embedded, marked("older"))))
    assert refused["error"]["code"] == "OlderRelease"
    free(embedded)
    older = upgraded(embedded, marked("older"), version="0.1.0", table_format=1)
    assert older["status"] == "SUCCEEDED", older["summary"]
    assert (health(embedded)["version"], table_format(embedded)) == ("0.1.0", 1)
    assert phase(older, "promote_upgrade")["evidence"]["migrated_back"] >= len(listed)
    assert [row["id"] for row in embedded.client.deployments()][2:][: len(listed)] == listed
    again = upgraded(embedded, marked("newer again"))
    assert again["status"] == "SUCCEEDED", again["summary"]
    assert table_format(embedded) == 2
    assert listed_beside(embedded) >= len(listed)
    works(embedded)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("blow", ["stopped", "killed"])
def test_an_upgrade_that_is_killed_in_a_step_ends_on_the_old_or_the_new_release(
    embedded: Embedded, step: str, blow: str
) -> None:
    """stopped: the execution; the sweeper ends it with the version that serves. killed: the Lambda, in the same one."""
    before = health(embedded)["release"]
    upgrade = begin(embedded, uploaded(embedded, marked(f"{step} {blow}")))
    reached(embedded, upgrade, step)
    if blow == "stopped":
        arn = execution_of(embedded, upgrade)["executionArn"]
        embedded.boto("stepfunctions").stop_execution(executionArn=arn, error="Someone", cause="a test")
    else:
        upgrading.kill_its_lambda(embedded)
    answer = ended(embedded, upgrade)
    free(embedded)
    serving = health(embedded)["release"]
    if answer["status"] == "SUCCEEDED":
        assert serving != before
    else:
        assert serving == before, answer["summary"]
    works(embedded)
