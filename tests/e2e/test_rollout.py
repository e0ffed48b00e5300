"""One POST rolls an environment through all twelve phases, in the embedded cloud, and users can use it.

The tests of this module go on from one another in the order of the file, as an environment's life does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from chalicelib.adapters.items import of_lock, write
from chalicelib.adapters.keys import environment_key
from chalicelib.domain.model import LEASE_S, Lock
from chalicelib.engine import registry
from openai import OpenAI

from tests.e2e.rolling import CLIENT_KEY, Rolled, phase, roll, until, versions_of


def sdk(rolled: Rolled) -> OpenAI:
    return OpenAI(base_url=rolled.base_url, api_key=CLIENT_KEY, max_retries=0)


def test_all_twelve_phases_ended_well_with_times_summary_and_evidence(rolled: Rolled) -> None:
    answer = rolled.deployment
    assert answer["status"] == "SUCCEEDED", answer.get("error")
    assert [row["name"] for row in answer["phases"]] == list(registry.PHASES)
    for row in answer["phases"]:
        assert row["status"] == "SUCCEEDED", row
        assert row["started_at"] <= row["ended_at"]
        assert row["summary"]
        assert row["evidence"]
    assert answer["percent"] == 100
    assert 0.001 < answer["cost"]["usd"] <= 0.01


def events_of(rolled: Rolled) -> list[dict[str, Any]]:
    """The history of the rollout's execution."""
    states = rolled.embedded.boto("stepfunctions")
    pages = states.get_paginator("get_execution_history").paginate(executionArn=rolled.deployment["execution_arn"])
    return [event for page in pages for event in page["events"]]


def test_step_functions_ran_a_lambda_for_every_phase(rolled: Rolled) -> None:
    events = events_of(rolled)
    entered = {event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event}
    assert {registry.pascal(name) for name in registry.PHASES} <= entered
    done = [event for event in events if event["type"] in ("LambdaFunctionSucceeded", "TaskSucceeded")]
    assert len(done) >= len(registry.PHASES) + 4


def test_what_the_rollout_cost_is_on_record_with_the_transitions_of_its_execution(rolled: Rolled) -> None:
    cost = rolled.embedded.client.deployment(rolled.deployment["id"])["cost"]
    assert cost["recorded"] == "recorded"
    amounts = {each["what"]: each["amount"] for each in cost["lines"]}
    assert amounts["state machine"] == sum("stateEnteredEventDetails" in event for event in events_of(rolled))
    assert all(
        amounts[what] > 0
        for what in ("Lambdas", "records, written", "records, read", "secret, calls", "checks through API Gateway")
    )
    costs = rolled.embedded.client.costs(rolled.environment)
    assert costs["rollouts"]["by_action"]["deploy"] > 0
    assert 1 < costs["at_rest"]["usd"] < 1.6


def test_an_openai_sdk_talks_to_it(rolled: Rolled) -> None:
    client = sdk(rolled)
    question: Any = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=question)
    assert answer.choices[0].message.content
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=question, stream=True)
    assert len([chunk for chunk in stream if chunk.choices]) > 1
    assert client.embeddings.create(model="text-embedding-3-small", input="x").data[0].embedding
    assert client.models.list().data


def test_the_same_again_changes_nothing_in_aws_and_says_so(rolled: Rolled) -> None:
    roll(
        rolled.embedded, rolled.environment
    )  # what tests before this one asked of the load test is none of its business
    before = inventory(rolled)
    deployment = roll(rolled.embedded, rolled.environment)
    assert (deployment["status"], deployment["summary"]) == (
        "SUCCEEDED",
        "No change: the environment already runs this release",
    )
    skipped = [row["name"] for row in deployment["phases"] if row["status"] == "SKIPPED"]
    assert set(skipped) >= set(registry.PHASES[1:11]), skipped
    assert inventory(rolled) == before


def inventory(rolled: Rolled) -> dict[str, Any]:
    """What stands in AWS for the environment, with versions and times of change."""
    boto = rolled.embedded.boto
    stack = boto("cloudformation").describe_stacks(StackName=f"proxyctl-env-{rolled.environment}")["Stacks"][0]
    function = boto("lambda").get_function_configuration(FunctionName=f"proxyctl-{rolled.environment}-proxy")
    alarms = boto("cloudwatch").describe_alarms(AlarmNamePrefix=f"proxyctl/{rolled.environment}/")["MetricAlarms"]
    prefix = f"artifacts/{rolled.environment}/"
    objects = boto("s3").list_objects_v2(Bucket=rolled.embedded.aws.bucket, Prefix=prefix)
    return {
        "stack": (stack["StackStatus"], str(stack.get("LastUpdatedTime")), stack["Parameters"]),
        "function": (function["CodeSha256"], function["RevisionId"], function["Environment"]),
        "aliases": versions_of(rolled.embedded, rolled.environment),
        "alarms": sorted((alarm["AlarmName"], alarm["Threshold"], alarm["StateValue"]) for alarm in alarms),
        "artifacts": sorted((item["Key"], str(item["LastModified"])) for item in objects.get("Contents", [])),
    }


CHANGE: dict[str, Any] = {"memory_mb": 640, "throttle": {"rate_per_s": 120}}


def test_a_plan_says_what_would_change_and_changes_nothing(rolled: Rolled) -> None:
    before = inventory(rolled)
    deployment = roll(rolled.embedded, rolled.environment, "plan", config=CHANGE)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    planned = {line["phase"]: line for line in phase(deployment, "make_plan")["evidence"]["plan"]}
    assert planned["package_artifact"]["would"] == "skip"
    assert planned["deploy_stack"]["would"] == "run"
    assert any("Stage" in change for change in planned["deploy_stack"]["details"]["changes"])
    assert planned["release_code"]["details"]["settings"]["memory_mb"] == "512 -> 640"
    assert inventory(rolled) == before


def test_a_deploy_bound_to_another_plan_than_the_one_that_stands_is_refused(rolled: Rolled) -> None:
    deployment = roll(rolled.embedded, rolled.environment, config=CHANGE, options={"expected_plan": "not-this-one"})
    assert (deployment["status"], deployment["error"]["code"]) == ("FAILED", "PlanChanged")
    assert phase(deployment, "prepare_secret")["status"] == "PENDING"


def test_a_change_of_settings_alone_skips_packaging_and_gives_users_a_new_version(rolled: Rolled) -> None:
    before = versions_of(rolled.embedded, rolled.environment)
    planned = roll(rolled.embedded, rolled.environment, "plan", config=CHANGE)
    approved = {"expected_plan": phase(planned, "make_plan")["evidence"]["digest"]}
    deployment = roll(rolled.embedded, rolled.environment, config=CHANGE, options=approved)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert phase(deployment, "package_artifact")["status"] == "SKIPPED"
    after = versions_of(rolled.embedded, rolled.environment)
    assert int(after["live"]) > int(before["live"])
    assert after["live"] == after["candidate"]
    shown = rolled.stands()
    assert (shown["live"]["version"], shown["live"]["config"]["memory_mb"]) == (after["live"], 640)
    assert shown["history"][0]["diff"]["memory_mb"] == [512, 640]


def test_the_steps_of_the_shift_were_taken_and_what_weights_do_here_is_said(rolled: Rolled) -> None:
    answer = rolled.embedded.client.deployment(rolled.stands()["live"]["deployment_id"])
    evidence = phase(answer, "shift_traffic")["evidence"]
    assert evidence["steps_percent"] == [50, 100]
    assert evidence["weights_act"].startswith("NOT RUN")
    assert phase(answer, "bake")["evidence"]["alarms"]


def test_a_rollback_on_request_takes_users_to_the_good_version_before_and_its_settings_with_it(rolled: Rolled) -> None:
    left = rolled.stands()
    assert throttle(rolled) == CHANGE["throttle"]["rate_per_s"]
    deployment = roll(rolled.embedded, rolled.environment, "rollback")
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    stands = rolled.stands()
    assert stands["live"]["version"] == left["previous"]["version"]
    assert versions_of(rolled.embedded, rolled.environment)["live"] == left["previous"]["version"]
    assert (
        throttle(rolled) == left["previous"]["config"]["throttle"]["rate_per_s"] != left["live"]["config"]["throttle"]
    )
    assert sdk(rolled).models.list().data


def throttle(rolled: Rolled) -> float:
    """Requests a second that the stage lets through, as API Gateway has it."""
    outputs = rolled.deployment["phases"][3]["evidence"]["outputs"]
    stage = rolled.embedded.boto("apigateway").get_stage(restApiId=outputs["ApiId"], stageName=outputs["StageName"])
    limit: float = stage["methodSettings"]["*/*"]["throttlingRateLimit"]
    return limit


def test_report_and_handoff_are_served(rolled: Rolled) -> None:
    status, page = rolled.embedded.call("GET", f"/deployments/{rolled.deployment['id']}/report")
    assert status == 200
    for chart in ("Latency by percentile", "Distribution of latency", "Requests over time", "When each phase ran"):
        assert f'aria-label="{chart}"' in page
    status, text = rolled.embedded.call("GET", f"/deployments/{rolled.deployment['id']}/handoff")
    assert status == 200
    assert rolled.base_url in text


def test_a_night_heals_what_is_safe_leaves_who_is_busy_alone_and_sums_it_up(rolled: Rolled, held: str) -> None:
    """As the schedule starts it: through Scheduler, with the schedule's own target. Someone has deleted an alarm."""
    lost = f"proxyctl/{rolled.environment}/errors"
    alarms = rolled.embedded.boto("cloudwatch")
    alarms.delete_alarms(AlarmNames=[lost])
    scheduler = rolled.embedded.boto("scheduler")
    target = scheduler.get_schedule(Name="proxyctl-nightly")["Target"]
    scheduler.create_schedule(
        Name="a-night-of-the-tests",
        ScheduleExpression="at(2026-01-02T03:17:00)",
        Target=target | {"Input": json.dumps({"scheduled_at": "2026-01-02T03:17:00Z"})},
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
    )
    ended = until("the night has ended", lambda: last_night(rolled), 180)
    assert ended["status"] == "SUCCEEDED", ended
    counts = json.loads(ended["output"])
    assert (counts["asked"], counts["started"], counts["good"], counts["healed"], counts["busy"]) == (2, 1, 1, 1, 1)
    (answer,) = rolled.embedded.call("GET", "/nights")[1]["nights"]
    assert [each["AlarmName"] for each in alarms.describe_alarms(AlarmNames=[lost])["MetricAlarms"]] == [lost]
    observed = rolled.stands()["last_revalidation"]
    assert observed["verdict"] == "GOOD"
    checks = {"healed": {rolled.environment: observed["deployment_id"]}, "busy": {held: ""}}
    assert (answer["night"], answer["which"]) == ("2026-01-02", checks)
    check = rolled.embedded.client.deployment(observed["deployment_id"])
    assert (check["action"], check["caller"]) == ("revalidate", "proxyctl-nightly")
    assert phase(check, "validate_endpoints")["status"] == "SUCCEEDED"
    (repaired,) = phase(check, "check_drift")["evidence"]["repaired"]
    assert lost in json.dumps(repaired)
    assert rolled.embedded.client.deployments(held) == []


def last_night(rolled: Rolled) -> dict[str, Any] | None:
    """The execution of the night once it has ended."""
    states = rolled.embedded.boto("stepfunctions")
    result = states.list_executions(stateMachineArn=rolled.embedded.outputs["NightArn"])["executions"]
    if not result or result[0]["status"] == "RUNNING":
        return None
    deployment: dict[str, Any] = states.describe_execution(executionArn=result[0]["executionArn"])
    return deployment


@pytest.fixture
def held(rolled: Rolled) -> Iterator[str]:
    """An environment on record that serves users, while a deployment holds it."""
    table, name = "proxyctl", "held"
    lock = Lock("d-holder", "", time.time() + 2 * LEASE_S)
    records = rolled.embedded.boto("dynamodb")
    key = environment_key(name)
    live = {"version": "1", "deployment_id": "d", "at": "t"}
    answer = {"status": "LIVE", "live": live, "lock": of_lock(lock), "listed_all": "ENVIRONMENTS", "at": name}
    records.put_item(TableName=table, Item=key | write(answer))
    yield name
    records.delete_item(TableName=table, Key=key)


def test_every_state_change_reached_the_event_bus(rolled: Rolled) -> None:
    events = rolled.embedded.boto("sqs").get_queue_attributes(
        QueueUrl=rolled.embedded.outputs["EventsDeadLettersUrl"],
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    assert events["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.parametrize("path", ["/health", "/deployments", "/environments"])
def test_without_a_signature_the_control_api_answers_nobody(rolled: Rolled, path: str) -> None:
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(rolled.embedded.api_url + path, timeout=30)
    assert refused.value.code == 403
