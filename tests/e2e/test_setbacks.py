"""What goes wrong never reaches users, never locks an environment, and is told as it was."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer.verify import looks
from tests.e2e.rolling import (
    Rolled,
    chats,
    ended,
    final,
    hold,
    phase,
    reached,
    roll,
    spoiled,
    start,
    until,
    versions_of,
)


@pytest.fixture
def broken_bundle(rolled: Rolled, tmp_path: Path) -> Iterator[None]:
    """The control plane holds a proxy that answers 500 to every chat; afterwards the good one again."""
    planted = ("        path = below_base(", '        raise RuntimeError("planted")\n        path = below_base(')
    good = hold(rolled.embedded, spoiled(tmp_path, "proxy/core.py", *planted))
    try:
        yield
    finally:
        hold(rolled.embedded, good)


@pytest.mark.usefixtures("broken_bundle")
def test_a_release_that_answers_500_passes_no_gate_and_users_never_see_it(rolled: Rolled) -> None:
    before = versions_of(rolled.embedded, rolled.environment)
    deployment = roll(rolled.embedded, rolled.environment)
    assert (deployment["status"], f"still on version {before['live']}, healthy" in deployment["summary"]) == (
        "FAILED",
        True,
    ), deployment
    failed = [row["name"] for row in deployment["phases"] if row["status"] == "FAILED"]
    assert failed in (["release_code"], ["validate_endpoints"]), failed
    assert [row["status"] for row in deployment["phases"][7:]] == ["PENDING"] * 5
    assert versions_of(rolled.embedded, rolled.environment) == before | {"candidate": before["live"]}
    assert rolled.stands()["status"] == "LIVE"
    assert chats(rolled)
    execution = rolled.embedded.boto("stepfunctions").describe_execution(executionArn=deployment["execution_arn"])
    assert execution["status"] == "FAILED"


def test_after_the_setback_the_next_good_deploy_works(rolled: Rolled) -> None:
    deployment = roll(rolled.embedded, rolled.environment, config={"memory_mb": 512})
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert chats(rolled)


def ring(rolled: Rolled, state: str) -> None:
    rolled.embedded.boto("cloudwatch").set_alarm_state(
        AlarmName=f"proxyctl/{rolled.environment}/errors", StateValue=state, StateReason="a test"
    )


def rung(rolled: Rolled) -> bool:
    ring(rolled, "ALARM")
    return True


def test_an_alarm_during_the_bake_takes_the_traffic_back_without_a_person(rolled: Rolled) -> None:
    before = versions_of(rolled.embedded, rolled.environment)
    options = {"bake": {"steps": [100], "step_s": 0, "watch_s": 60}}
    started = start(rolled.embedded, rolled.environment, config={"memory_mb": 768}, options=options)
    reached(rolled.embedded, started, "bake")
    assert versions_of(rolled.embedded, rolled.environment)["live"] != before["live"]
    # Again and again: the pump's own evaluation, which sees no errors, would set it back before the bake looks.
    deployment = until("it ends", lambda: rung(rolled) and final(rolled.embedded, started), 120)
    ring(rolled, "OK")
    assert (deployment["status"], deployment["error"]["code"]) == ("ROLLED_BACK", "AlarmFired")
    assert versions_of(rolled.embedded, rolled.environment)["live"] == before["live"]
    assert chats(rolled)


def test_an_execution_that_someone_stops_is_settled_by_the_sweeper(rolled: Rolled) -> None:
    before = versions_of(rolled.embedded, rolled.environment)
    started = start(rolled.embedded, rolled.environment, config={"memory_mb": 896})
    reached(rolled.embedded, started, "validate_errors", "load_test")
    arn = rolled.embedded.client.deployment(started)["execution_arn"]
    rolled.embedded.boto("stepfunctions").stop_execution(executionArn=arn, error="Someone", cause="a test")
    answer = until("it is settled", lambda: final(rolled.embedded, started), 90)
    assert answer["error"]["code"] in ("ExecutionStopped", "LockLost", "Conflict"), answer["error"]
    until("the lock is released", lambda: not rolled.stands().get("lock"))
    after = versions_of(rolled.embedded, rolled.environment)
    assert after == {"live": before["live"], "candidate": before["live"]}
    assert chats(rolled)


def test_an_abort_ends_aborted_rolled_back_and_unlocked(rolled: Rolled) -> None:
    before = versions_of(rolled.embedded, rolled.environment)
    started = start(rolled.embedded, rolled.environment, config={"memory_mb": 1024})
    reached(rolled.embedded, started, "release_code", "validate_endpoints")
    status, _ = rolled.embedded.call("POST", f"/deployments/{started}/abort")
    assert status == 202
    deployment = ended(rolled.embedded, started)
    assert deployment["status"] == "ABORTED", deployment["summary"]
    until("the lock is released", lambda: not rolled.stands().get("lock"))
    assert versions_of(rolled.embedded, rolled.environment)["live"] == before["live"]


def test_a_deployment_waits_for_its_approval_and_goes_on_with_it(rolled: Rolled) -> None:
    options = {"approval": "required"}
    started = start(rolled.embedded, rolled.environment, config={"memory_mb": 1024}, options=options)
    waits = until("it waits", lambda: rolled.embedded.client.deployment(started)["status"] == "WAITING_APPROVAL", 180)
    assert waits
    assert "token" not in rolled.embedded.client.deployment(started)["approval"]
    status, _ = rolled.embedded.call("POST", f"/deployments/{started}/approve")
    assert status == 202
    answer = ended(rolled.embedded, started)
    assert answer["status"] == "SUCCEEDED", answer.get("error")
    assert rolled.stands()["live"]["config"]["memory_mb"] == 1024


def test_a_permission_that_is_taken_away_is_named_by_preflight(rolled: Rolled) -> None:
    iam = rolled.embedded.boto("iam")
    function = rolled.embedded.function("ReleaseCode")
    role = rolled.embedded.boto("lambda").get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
    name = iam.list_role_policies(RoleName=role)["PolicyNames"][0]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    less = json.loads(json.dumps(whole))
    for statement in less["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [action for action in actions if action != "lambda:PublishVersion"] or ["none:None"]
    assert less != whole
    acts_after_s = rolled.embedded.cloud.switches.role_s
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    time.sleep(acts_after_s)
    try:
        deployment = roll(rolled.embedded, rolled.environment)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))
        time.sleep(acts_after_s)
    assert deployment["status"] == "FAILED"
    assert phase(deployment, "preflight")["status"] == "FAILED"
    assert "lambda:PublishVersion" in deployment["error"]["message"]
    assert "release_code" in deployment["error"]["message"]
    # A refusal has its own name in Step Functions, so that it ends at once and no Retry matches it.
    assert looks.error_names(rolled.embedded.aws, deployment["execution_arn"]) == ("PhaseFailed",)
