"""A second interpreter runs the state machines: every path ends where the design says, and a planted fault is seen."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from judges import node_tools, paths, workflows
from judges.paths import Path, Run
from tests.judges.paths import FLEET, NIGHT, ROLLOUT

LIMIT_BYTES = 256 * 1024  # of a state's output, Step Functions quotas
Plant = Callable[[dict[str, Any]], None]
NEVER = [{"Variable": "$.never", "IsPresent": True, "Next": "Failed"}]  # at least one rule is required


@pytest.fixture(scope="module")
def definitions() -> Mapping[str, dict[str, Any]]:
    return workflows.read()


def judged(definition: Mapping[str, Any], table: Mapping[str, Path]) -> list[str]:
    try:
        return paths.findings(definition, table)
    except node_tools.NodeIsMissing as missing:
        pytest.skip(str(missing))


def test_every_path_of_a_rollout_ends_where_the_design_says(definitions: Mapping[str, dict[str, Any]]) -> None:
    assert judged(definitions["rollout.asl.yaml"], ROLLOUT) == []


def test_every_path_of_a_night_ends_where_the_design_says(definitions: Mapping[str, dict[str, Any]]) -> None:
    assert judged(definitions["nightly.asl.yaml"], NIGHT) == []


def test_every_path_of_a_fleet_ends_where_the_design_says(definitions: Mapping[str, dict[str, Any]]) -> None:
    assert judged(definitions["fleet.asl.yaml"], FLEET) == []


def test_every_state_is_on_a_path(definitions: Mapping[str, dict[str, Any]]) -> None:
    for name, table in (("rollout.asl.yaml", ROLLOUT), ("nightly.asl.yaml", NIGHT), ("fleet.asl.yaml", FLEET)):
        try:
            entered = {state for run in paths.run(definitions[name], table).values() for state in run.states}
        except node_tools.NodeIsMissing as missing:
            pytest.skip(str(missing))
        assert _states(definitions[name]) - entered == set()


def _states(machine: Mapping[str, Any]) -> set[str]:
    inner = [state["ItemProcessor"] for state in machine["States"].values() if "ItemProcessor" in state]
    return set(machine["States"]).union(*map(_states, inner))


@pytest.mark.parametrize("name", ["LoadWorkers", "ManyLoadWorkers"])
def test_lost_workers_leave_nothing_in_the_maps_output(name: str, definitions: Mapping[str, dict[str, Any]]) -> None:
    """All 1,000 workers die of a Cause of 32 KB; their Map's output stays below the limit of a state."""
    definition = copy.deepcopy(definitions["rollout.asl.yaml"])
    assert _map_output(definition, name) < LIMIT_BYTES
    worker = definition["States"][name]["ItemProcessor"]["StartAt"]
    del definition["States"][name]["ItemProcessor"]["States"][f"{worker}Lost"]["Result"]
    assert _map_output(definition, name) > LIMIT_BYTES


def _map_output(definition: Mapping[str, Any], name: str) -> int:
    state = {
        key: value for key, value in definition["States"][name].items() if key not in ("Next", "ResultPath", "Catch")
    }
    alone = {"StartAt": name, "States": {name: {**state, "End": True}}}
    worker = state["ItemProcessor"]["StartAt"]
    lost = Path(
        (), start={"result": {"workers": list(range(1_000))}}, tasks={worker: [{"error": "X", "cause": "y" * 32_000}]}
    )
    try:
        ended: Run = paths.run(alone, {name: lost})[name]
    except node_tools.NodeIsMissing as missing:
        pytest.skip(str(missing))
    assert ended.status == "SUCCEEDED"
    return len(json.dumps(ended.output))


def _set(state: str, **fields: Any) -> Plant:
    return lambda definition: definition["States"][state].update(fields)


def _drop(state: str, *fields: str) -> Plant:
    def plant(definition: dict[str, Any]) -> None:
        for name in fields:
            del definition["States"][state][name]

    return plant


def _ended_as_success(definition: dict[str, Any]) -> None:
    definition["States"]["Ended"]["Default"] = "Succeeded"


def _error_is_lost(definition: dict[str, Any]) -> None:
    for rule in definition["States"]["LoadTest"]["Catch"]:
        rule["ResultPath"] = "$.ignored"


PLANTS: Mapping[str, Plant] = {
    "a failed rollout ends as a success": _ended_as_success,
    "the error of a phase is lost": _error_is_lost,
    "a phase catches nothing": _drop("ValidateErrors", "Catch"),
    "a phase is skipped": _set("PackageArtifactDone", Default="ConfigureMonitoring"),
    "nobody waits for a bake": _set("BakeDone", Choices=NEVER),
    "approval is not asked for": _set("LoadTestDone", Choices=NEVER),
    "a throttled phase is not called again": _drop("DeployStack", "Retry"),
    "a failure after the release does not go back": _set(
        "Bake", Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "RecordOutcome"}]
    ),
    "a release is promoted without its self-test": _set("StageUpgradeDone", Default="PromoteUpgrade"),
    "an upgrade that fails is not taken back": _drop("PromoteUpgrade", "Catch"),
    "an upgrade that died is taken for a rollout": _set("WhichWayBack", Default="RollBack", Choices=NEVER),
    "a rollback restores no settings": _set("RollBackDone", Default="RecordOutcome"),
    "a plan releases": _set("MakePlanDone", Choices=NEVER),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_changes_a_path(name: str, definitions: Mapping[str, dict[str, Any]]) -> None:
    definition = copy.deepcopy(definitions["rollout.asl.yaml"])
    PLANTS[name](definition)
    assert judged(definition, ROLLOUT) != []
