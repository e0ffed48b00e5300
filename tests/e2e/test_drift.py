"""What someone changes by hand is named by the next revalidation, told once, and put back when that is asked for.

The tests of this module go on from one another in the order of the file.
"""

from __future__ import annotations

from typing import Any

from chalicelib.costs.nights import NIGHT

from tests.e2e.rolling import Embedded, Rolled, phase, roll, until, versions_of

LIGHT: dict[str, Any] = {
    "load": {"rps": 10, "duration_s": 2, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None},
}


def revalidate(rolled: Rolled, **options: Any) -> dict[str, Any]:
    return roll(rolled.embedded, rolled.environment, "revalidate", options={**LIGHT, **options})


def transitions(embedded: Embedded, deployment_id: str) -> int:
    """State transitions of a deployment's execution."""
    client = embedded.boto("stepfunctions")
    machines = client.list_state_machines()["stateMachines"]
    machine = next(each["stateMachineArn"] for each in machines if each["name"] == "proxyctl-rollout")
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{deployment_id}"
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return sum(event["type"].endswith("StateEntered") for page in pages for event in page["events"])


def findings(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = phase(deployment, "check_drift")["evidence"]["findings"]
    return result


def incidents_told(embedded: Embedded, *deployments: dict[str, Any]) -> list[str]:
    """The kinds of the events about incidents that are on record, from which the stream tells them."""
    table = embedded.boto("dynamodb")
    kinds = []
    for deployment in deployments:
        result = table.query(
            TableName="proxyctl",
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"DEPLOYMENT#{deployment['id']}"}, ":sk": {"S": "EVENT#"}},
        )
        kinds += [item["kind"]["S"] for item in result["Items"]]
    return [kind for kind in kinds if kind.startswith("incident.")]


def test_an_environment_that_nobody_touched_has_no_drift(rolled: Rolled) -> None:
    deployment = revalidate(rolled)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert [item for item in findings(deployment) if item["severity"] == "drift"] == []
    assert rolled.stands()["last_revalidation"]["verdict"] == "GOOD"
    # What a night costs rests on this number (bench/costs.py), of which the night's own Map has a third.
    assert transitions(rolled.embedded, deployment["id"]) <= NIGHT.transitions * 2 / 3


def test_an_alias_moved_by_hand_is_named_told_once_healed_and_told_again(rolled: Rolled) -> None:
    embedded, function = rolled.embedded, f"proxyctl-{rolled.environment}-proxy"
    good = versions_of(embedded, rolled.environment)["live"]
    versions = embedded.boto("lambda").list_versions_by_function(FunctionName=function)["Versions"]
    other = next(item["Version"] for item in versions if item["Version"] not in ("$LATEST", good))
    embedded.boto("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion=other)

    bad, bad_still = revalidate(rolled), revalidate(rolled)
    assert (bad["status"], bad["error"]["code"]) == ("FAILED", "Drift")
    assert f"{function}:live is version {other}, not version {good}" in bad["error"]["message"]
    assert versions_of(embedded, rolled.environment)["live"] == other
    stands = rolled.stands()
    assert stands["last_revalidation"]["verdict"] == "BAD"
    assert "check_drift" in stands["last_revalidation"]["why"]
    assert stands["incident"]["opened_by"] == bad["id"]

    healed = revalidate(rolled, heal=True)
    assert healed["status"] == "SUCCEEDED", healed.get("error")
    assert phase(healed, "check_drift")["evidence"]["healed"] == [f"live alias put back on version {good}"]
    assert versions_of(embedded, rolled.environment)["live"] == good
    stands = rolled.stands()
    assert (stands["last_revalidation"]["verdict"], stands["incident"]) == ("GOOD", None)
    assert incidents_told(embedded, bad, bad_still, healed) == ["incident.opened", "incident.closed"]
    page = embedded.call("GET", f"/environments/{rolled.environment}/incidents/{bad['id']}")[1]
    assert (page["opened_by"], page["closed_by"]) == (bad["id"], healed["id"])
    moved = next(row for row in page["drift"] if row["where"].startswith(f"{function}:live"))
    assert (good in moved["expected"], other in moved["found"]) == (True, True), moved
    assert [entry["deployment_id"] for entry in page["history"]] == [healed["id"], bad_still["id"], bad["id"]]


def test_a_change_behind_cloudformations_back_and_a_lost_alarm_are_named_and_only_the_alarm_is_put_back(
    rolled: Rolled,
) -> None:
    embedded = rolled.embedded
    group, alarm = f"/aws/lambda/proxyctl-{rolled.environment}-proxy", f"proxyctl/{rolled.environment}/errors"
    logs, watch = embedded.boto("logs"), embedded.boto("cloudwatch")
    watch.delete_alarms(AlarmNames=[alarm])
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    try:
        deployment = revalidate(rolled, heal=True)
    finally:
        logs.put_retention_policy(logGroupName=group, retentionInDays=14)
    assert deployment["error"]["code"] == "Drift"
    assert [item["where"] for item in findings(deployment) if item["severity"] == "drift"] == [
        "LogGroup (AWS::Logs::LogGroup) /RetentionInDays"
    ]
    assert "REVERT_DRIFT" in deployment["error"]["remedy"]
    assert watch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert revalidate(rolled)["status"] == "SUCCEEDED"


def test_a_key_set_at_once_is_known_and_no_drift(rolled: Rolled) -> None:
    rolled.embedded.client.put_secret(rolled.environment, rolled.embedded.secret(), {"now": "true"})
    deployment = revalidate(rolled)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert [item["severity"] for item in findings(deployment) if item["kind"] == "secret"] == ["info"]
    assert "rotated since" in phase(deployment, "check_drift")["summary"]


def test_an_environment_whose_time_is_over_is_cleaned_up_by_the_sweeper(embedded: Embedded) -> None:
    # Without a secret it fails early, and what it left has to go all the same.
    deployment = roll(
        embedded, "brief", options={"ttl_hours": 0.0001, "remove_secret": True, "secret_recovery_days": 0}
    )
    assert deployment["status"] == "FAILED"
    name = embedded.function("Sweep")

    def gone() -> bool:
        embedded.boto("lambda").invoke(FunctionName=name, Payload=b"{}")
        return bool(embedded.client.environment("brief")["status"] == "REMOVED")

    until("the sweeper has cleaned up", gone, 60)
    assert embedded.client.environment("brief").get("expires_at") is None
