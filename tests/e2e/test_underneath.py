"""Each resource of an environment, deleted or changed by hand before and during a rollout: named, and back afterwards.

The table of `tests/unit/stack/test_repair.py` and `tests/unit/monitoring/test_inspect.py`, against the embedded cloud.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from chalicelib.domain.names import Names

from tests.e2e.rolling import Embedded, Rolled, chats, ended, phase, roll, start, until, versions_of

pytestmark = pytest.mark.long
ENVIRONMENT = "beneath"
NAMES = Names(ENVIRONMENT)
SMALL: dict[str, Any] = {
    "load": {"rps": 10, "duration_s": 1, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None},
    "bake": {"steps": [100], "step_s": 1, "watch_s": 1},
}
Spoil = Callable[[Embedded], object]


@pytest.fixture(scope="module")
def beneath(embedded: Embedded) -> Rolled:
    embedded.client.put_secret(ENVIRONMENT, embedded.secret())
    deployment = roll(embedded, ENVIRONMENT, options=SMALL)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    return Rolled(embedded, ENVIRONMENT, {})  # its address is that on the environment's record: it changes in between


def role(embedded: Embedded) -> str:
    return outputs(embedded)["RoleArn"].rpartition("/")[2]


def outputs(embedded: Embedded) -> dict[str, str]:
    stack = embedded.boto("cloudformation").describe_stacks(StackName=NAMES.stack)["Stacks"][0]
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def drop_alias(name: str) -> Spoil:
    return lambda embedded: embedded.boto("lambda").delete_alias(FunctionName=NAMES.function, Name=name)


def drop_permission(alias: str) -> Spoil:
    def spoil(embedded: Embedded) -> None:
        client = embedded.boto("lambda")
        policy = json.loads(client.get_policy(FunctionName=NAMES.function, Qualifier=alias)["Policy"])
        for statement in policy["Statement"]:
            client.remove_permission(FunctionName=NAMES.function, Qualifier=alias, StatementId=statement["Sid"])

    return spoil


def drop_stage(output: str) -> Spoil:
    return lambda embedded: embedded.boto("apigateway").delete_stage(
        restApiId=outputs(embedded)["ApiId"], stageName=outputs(embedded)[output]
    )


def throttle_stage(embedded: Embedded) -> None:
    operations = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "3"}]
    out = outputs(embedded)
    embedded.boto("apigateway").update_stage(
        restApiId=out["ApiId"], stageName=out["StageName"], patchOperations=operations
    )


def drop_policy(embedded: Embedded) -> None:
    embedded.boto("iam").delete_role_policy(RoleName=role(embedded), PolicyName="proxy")


def drop_topic(embedded: Embedded) -> None:
    sns = embedded.boto("sns")
    arns = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    sns.delete_topic(TopicArn=next(arn for arn in arns if arn.endswith(f":{NAMES.topic}")))


def drop_artifact(embedded: Embedded) -> None:
    s3 = embedded.boto("s3")
    listed = s3.list_objects_v2(Bucket=embedded.aws.bucket, Prefix=NAMES.artifacts_prefix)["Contents"]
    for item in listed:
        if item["Key"].endswith(".zip"):
            s3.delete_object(Bucket=embedded.aws.bucket, Key=item["Key"])


def drop_api(embedded: Embedded) -> None:
    embedded.boto("apigateway").delete_rest_api(restApiId=outputs(embedded)["ApiId"])


def drop_function(embedded: Embedded) -> None:
    embedded.boto("lambda").delete_function(FunctionName=NAMES.function)


def drop_role(embedded: Embedded) -> None:
    name = role(embedded)
    embedded.boto("iam").delete_role_policy(RoleName=name, PolicyName="proxy")
    embedded.boto("iam").delete_role(RoleName=name)


def drop_record(embedded: Embedded) -> None:
    key = {"pk": {"S": f"ENVIRONMENT#{ENVIRONMENT}"}, "sk": {"S": "META"}}
    embedded.boto("dynamodb").delete_item(TableName="proxyctl", Key=key)


def drop_record_and_lock(embedded: Embedded) -> None:
    drop_record(embedded)
    key = {"pk": {"S": f"ENVIRONMENT#{ENVIRONMENT}"}, "sk": {"S": "LOCK"}}
    embedded.boto("dynamodb").delete_item(TableName="proxyctl", Key=key)


def drop_alarm(embedded: Embedded) -> None:
    embedded.boto("cloudwatch").delete_alarms(AlarmNames=[NAMES.alarm("errors")])


def drop_dashboard(embedded: Embedded) -> None:
    embedded.boto("cloudwatch").delete_dashboards(DashboardNames=[NAMES.dashboard])


def drop_filter(embedded: Embedded) -> None:
    embedded.boto("logs").delete_metric_filter(logGroupName=NAMES.log_group, filterName=NAMES.alarm("crashes"))


def doom_secret(embedded: Embedded) -> None:
    embedded.boto("secretsmanager").delete_secret(SecretId=NAMES.secret, RecoveryWindowInDays=7)


def drop_group(embedded: Embedded) -> None:
    embedded.boto("logs").delete_log_group(logGroupName=NAMES.access_log_group)


# What is done, which phase names it, and how.
ROWS: dict[str, tuple[Spoil, str, str]] = {
    "candidate alias": (drop_alias("candidate"), "deploy_stack", "alias candidate was deleted"),
    "live alias": (drop_alias("live"), "deploy_stack", "alias live was deleted"),
    "live permission": (drop_permission("live"), "deploy_stack", "permission of alias live was deleted"),
    "candidate permission": (drop_permission("candidate"), "deploy_stack", "permission of alias candidate"),
    "users' stage": (drop_stage("StageName"), "deploy_stack", "stage api was deleted"),
    "candidate's stage": (drop_stage("CandidateStageName"), "deploy_stack", "stage candidate was deleted"),
    "throttle": (throttle_stage, "deploy_stack", "stage api was changed (rate 3"),
    "policy": (drop_policy, "deploy_stack", "role policy"),
    "log group": (drop_group, "deploy_stack", f"log group {NAMES.access_log_group} was deleted"),
    "topic": (drop_topic, "configure_monitoring", f"topic {NAMES.topic} was deleted"),
    "alarm": (drop_alarm, "configure_monitoring", f"alarm {NAMES.alarm('errors')} was deleted"),
    "dashboard": (drop_dashboard, "configure_monitoring", "dashboard proxyctl was deleted"),
    "filter": (drop_filter, "configure_monitoring", "metric filter"),
    "artifact": (drop_artifact, "package_artifact", "was deleted: uploaded again"),
    "secret": (doom_secret, "prepare_secret", "its deletion was scheduled"),
    "record": (drop_record, "acquire_lock", "its record had been deleted"),
}
# Deleted together, because a deploy takes a while; each is named by itself.
BEFORE = (
    ("candidate alias", "users' stage", "log group", "dashboard", "artifact"),
    ("live alias", "candidate's stage", "alarm", "secret"),
    ("live permission", "candidate permission", "throttle", "filter"),
    ("policy", "topic", "record"),
)


def free(rolled: Rolled) -> None:
    until("the environment is free", lambda: not rolled.stands().get("lock"), 240)


def check(rolled: Rolled) -> None:
    """Users are served, and nothing is found that is not as it was left."""
    assert chats(rolled)
    deployment = roll(
        rolled.embedded, ENVIRONMENT, "revalidate", options={name: SMALL[name] for name in ("load", "slo")}
    )
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")


@pytest.mark.parametrize("rows", BEFORE, ids=" and ".join)
def test_what_goes_before_a_rollout_is_named_and_the_deploy_brings_it_back(
    beneath: Rolled, rows: tuple[str, ...]
) -> None:
    for row in rows:
        ROWS[row][0](beneath.embedded)
    deployment = roll(beneath.embedded, ENVIRONMENT, options=SMALL)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    for row in rows:
        _, name, named = ROWS[row]
        assert named in phase(deployment, name)["summary"], (row, phase(deployment, name)["summary"])
    check(beneath)


def waiting(beneath: Rolled) -> str:
    """A deploy that waits for its approval, between the checks and the shift."""
    options = {**SMALL, "approval": "required", "force": True}
    started = start(beneath.embedded, ENVIRONMENT, options=options)
    client = beneath.embedded.client
    until("it waits", lambda: client.deployment(started)["status"] == "WAITING_APPROVAL", 240)
    return started


DURING = ("users' stage", "live permission", "candidate alias", "log group")


def test_what_goes_during_a_rollout_is_named_and_brought_back_by_it(beneath: Rolled) -> None:
    started = waiting(beneath)
    for row in DURING:
        ROWS[row][0](beneath.embedded)
    assert beneath.embedded.call("POST", f"/deployments/{started}/approve")[0] == 202
    deployment = ended(beneath.embedded, started)
    free(beneath)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    for row in DURING:
        assert ROWS[row][2] in phase(deployment, "apply_settings")["summary"], row
    check(beneath)


def test_what_goes_during_a_rollout_that_is_aborted_is_named_at_its_end_and_brought_back(beneath: Rolled) -> None:
    before = versions_of(beneath.embedded, ENVIRONMENT)["live"]
    started = waiting(beneath)
    for row in ("candidate's stage", "candidate permission", "policy"):
        ROWS[row][0](beneath.embedded)
    assert beneath.embedded.call("POST", f"/deployments/{started}/abort")[0] == 202
    deployment = ended(beneath.embedded, started)
    free(beneath)
    assert deployment["status"] == "ABORTED", deployment["summary"]
    for row in ("candidate's stage", "candidate permission", "policy"):
        assert ROWS[row][2] in phase(deployment, "restore_settings")["summary"], row
    assert ROWS["policy"][2] in deployment["summary"]
    assert versions_of(beneath.embedded, ENVIRONMENT)["live"] == before
    check(beneath)
    assert "still on version" in beneath.embedded.client.document(started, "report")


# What is gone, how it is named, and the code with which a rollout ends that it is taken from after the checks.
GONE: dict[str, tuple[Spoil, str, tuple[str, ...]]] = {
    "API": (drop_api, "API ", ("ApiGone",)),
    "role": (drop_role, "role proxyctl-beneath", ("RoleGone",)),
    "function": (drop_function, f"function {NAMES.function}", ("FunctionGone", "NotFound", "AliasMissing")),
}


@pytest.mark.parametrize("what", GONE)
def test_an_api_a_role_or_a_function_that_is_gone_is_named_and_the_deploy_brings_it_back(
    beneath: Rolled, what: str
) -> None:
    spoil, named, _ = GONE[what]
    address = beneath.stands()["links"]["base_url"]
    spoil(beneath.embedded)
    deployment = roll(beneath.embedded, ENVIRONMENT, options=SMALL)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    summary = phase(deployment, "deploy_stack")["summary"]
    assert named in summary
    after = Rolled(beneath.embedded, ENVIRONMENT, deployment)
    moved = after.base_url != address
    assert moved == (what == "API")
    assert (f"users' address changed from {address} to {after.base_url}" in summary) == moved
    check(after)


@pytest.mark.parametrize("what", GONE)
def test_an_api_a_role_or_a_function_that_goes_during_a_rollout_ends_it_and_the_next_deploy_brings_it_back(
    beneath: Rolled, what: str
) -> None:
    spoil, named, codes = GONE[what]
    started = waiting(beneath)
    spoil(beneath.embedded)
    assert beneath.embedded.call("POST", f"/deployments/{started}/approve")[0] == 202
    deployment = ended(beneath.embedded, started)
    free(beneath)
    assert deployment["status"] in ("FAILED", "ROLLED_BACK"), deployment["summary"]
    assert deployment["error"]["code"] in codes, deployment["error"]
    assert named in deployment["summary"], deployment["summary"]
    again = roll(beneath.embedded, ENVIRONMENT, options=SMALL)
    assert again["status"] == "SUCCEEDED", again.get("error")
    check(Rolled(beneath.embedded, ENVIRONMENT, again))


@pytest.mark.parametrize("spoil", [drop_record, drop_record_and_lock], ids=["record", "record and lock"])
def test_a_record_that_goes_during_a_rollout_ends_it_with_users_where_they_were(beneath: Rolled, spoil: Spoil) -> None:
    """The record is rebuilt, so that the rollout ends as every other: users on their release, nobody locked out."""
    before = versions_of(beneath.embedded, ENVIRONMENT)["live"]
    started = waiting(beneath)
    spoil(beneath.embedded)
    assert beneath.embedded.call("POST", f"/deployments/{started}/approve")[0] == 202
    deployment = ended(beneath.embedded, started)
    assert deployment["status"] == "FAILED", deployment["summary"]
    assert f"the record of environment {ENVIRONMENT} was deleted" in deployment["summary"]
    free(beneath)
    assert versions_of(beneath.embedded, ENVIRONMENT) == {"live": before, "candidate": before}
    assert beneath.stands()["live"]["version"] == before
    check(beneath)


@pytest.mark.parametrize("spoil", [drop_record, drop_record_and_lock], ids=["record", "record and lock"])
def test_a_rollout_that_is_killed_with_its_environments_record_gone_ends_with_users_where_they_were(
    beneath: Rolled, spoil: Spoil
) -> None:
    """No lock leads to it any more; without an end it would be RUNNING for ever."""
    before = versions_of(beneath.embedded, ENVIRONMENT)["live"]
    started = waiting(beneath)
    spoil(beneath.embedded)
    arn = beneath.embedded.client.deployment(started)["execution_arn"]
    beneath.embedded.boto("stepfunctions").stop_execution(executionArn=arn, error="Someone", cause="a test")
    deployment = ended(beneath.embedded, started)
    assert deployment["status"] == "FAILED", deployment["summary"]
    assert deployment["error"]["code"] == "ExecutionStopped", deployment["error"]
    free(beneath)
    assert versions_of(beneath.embedded, ENVIRONMENT) == {"live": before, "candidate": before}
    assert beneath.stands()["live"]["version"] == before
    check(beneath)


def test_a_stack_that_was_deleted_is_named_and_made_again(beneath: Rolled) -> None:
    formation = beneath.embedded.boto("cloudformation")
    formation.delete_stack(StackName=NAMES.stack)
    formation.get_waiter("stack_delete_complete").wait(StackName=NAMES.stack, WaiterConfig={"Delay": 1})
    deployment = roll(beneath.embedded, ENVIRONMENT, options=SMALL)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert f"stack {NAMES.stack} was deleted" in phase(deployment, "deploy_stack")["summary"]
    assert chats(Rolled(beneath.embedded, ENVIRONMENT, deployment))
