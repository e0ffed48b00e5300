"""A drill, from the POST to the proof that nothing is left of it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from chalicelib.domain import drills

from tests.e2e.rolling import Embedded, Rolled, phase, reached, start, until

# Four deployments, one after the other.
PATIENCE_S = 600.0
# How fast a busy machine is is no fact of a drill's.
QUICK_CHILDREN: dict[str, Any] = {
    "load": {"rps": 10, "duration_s": 2, "cold_starts": 0},
    "slo": {"p99_ms": None, "cold_start_ms": None},
    "bake": {"steps": [100], "step_s": 1, "watch_s": 1},
}


@pytest.mark.long
def test_a_drill_rolls_breaks_updates_and_removes_an_environment_and_leaves_its_template_alone(rolled: Rolled) -> None:
    assert rolled.deployment["status"] == "SUCCEEDED", rolled.deployment.get("error")
    embedded = rolled.embedded
    before = {key: value for key, value in rolled.stands().items() if key != "history"}
    started = start(embedded, rolled.environment, "drill", options=QUICK_CHILDREN)
    answer = list(embedded.client.follow(started, PATIENCE_S))[-1]
    assert answer["status"] == "SUCCEEDED", answer.get("error")
    evidence = phase(answer, "run_drill")["evidence"]
    assert [(item["part"], item["status"], item["verdict"]) for item in evidence["parts"]] == [
        ("deploy", "SUCCEEDED", "PASSED"),
        ("broken", "FAILED", "PASSED"),
        ("update", "SUCCEEDED", "PASSED"),
        ("cleanup", "SUCCEEDED", "PASSED"),
    ]
    broken = embedded.client.deployment(evidence["parts"][1]["deployment_id"])
    assert phase(broken, "release_code")["error"]["code"] == "CandidateUnhealthy"
    assert phase(broken, "validate_endpoints")["status"] == "PENDING"
    after = {key: value for key, value in rolled.stands().items() if key != "history"}
    assert after == before
    assert not stack_exists(rolled, evidence["environment"])
    assert embedded.client.environment(evidence["environment"])["status"] == "REMOVED"


@pytest.mark.long
def test_an_aborted_drill_stops_its_rollout_and_leaves_no_environment(rolled: Rolled) -> None:
    embedded = rolled.embedded
    started = start(embedded, rolled.environment, "drill", options=QUICK_CHILDREN)
    name = drills.ephemeral_environment(started)
    child: str = until("its rollout is on its way", lambda: last_of(embedded, name))
    reached(embedded, child, "configure_monitoring", "release_code")
    assert stack_exists(rolled, name)
    status, _ = embedded.call("POST", f"/deployments/{started}/abort")
    assert status == 202
    until("all is removed", lambda: embedded.client.environment(name)["status"] == "REMOVED", 180)
    assert embedded.client.deployment(started)["status"] == "ABORTED"
    assert embedded.client.deployment(child)["status"] == "ABORTED"
    assert not stack_exists(rolled, name)
    assert not embedded.client.environment(name).get("lock")
    assert not embedded.client.environment(drills.DRILL_RECORD_ENVIRONMENT).get("lock")


def last_of(embedded: Embedded, environment: str) -> str:
    """Its last deployment; "" while there is no such environment."""
    status, answer = embedded.call("GET", f"/environments/{environment}")
    return str(answer["last_deployment"]) if status == 200 else ""


def stack_exists(rolled: Rolled, environment: str) -> bool:
    try:
        rolled.embedded.boto("cloudformation").describe_stacks(StackName=f"proxyctl-env-{environment}")
    except ClientError:
        return False
    return True
