"""One stem everywhere: table of contents, state machine, handlers, policies, templates and tests must agree."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalicelib.domain import errors
from chalicelib.engine import policies, registry

ROOT = Path(__file__).resolve().parent.parent
ALL = (*registry.PHASES, *registry.STEPS)
NIGHTLY = ("list_environments", "revalidate_environment", "summarize_night")
FLEETS = {"advance_fleet": "advance", "roll_member": "member"}  # the module of each task


class _Loader(yaml.SafeLoader):
    """CloudFormation's short tags read as plain values."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: {suffix: str(node.value)})


def _read(path: str) -> Any:
    return yaml.load((ROOT / path).read_text(), _Loader)


WORKFLOW = _read("statemachine/rollout.asl.yaml")
STATES: dict[str, Any] = WORKFLOW["States"]
RESOURCES = _read("statemachine/resources.yaml")
CONFIG = json.loads((ROOT / "controlplane/.chalice/config.json").read_text())
HANDLERS = {
    node.name: node
    for node in ast.parse((ROOT / "controlplane/app.py").read_text()).body
    if isinstance(node, ast.FunctionDef)
}


def tasks() -> dict[str, Any]:
    return {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def test_the_twelve_phases_are_those_of_the_design_in_its_order() -> None:
    assert registry.PHASES == (
        "preflight",
        "prepare_secret",
        "package_artifact",
        "deploy_stack",
        "configure_monitoring",
        "release_code",
        "validate_endpoints",
        "validate_errors",
        "load_test",
        "write_handoff",
        "verify_idempotency",
        "clean_up",
    )


@pytest.mark.parametrize("name", ALL)
def test_every_phase_has_a_state_that_calls_its_own_lambda(name: str) -> None:
    state = tasks()[registry.pascal(name)]
    called = state["Parameters"].get("FunctionName") if "waitForTaskToken" in state["Resource"] else state["Resource"]
    assert called == f"${{{registry.pascal(name)}Arn}}"


def test_the_state_machine_has_no_task_that_is_not_a_phase() -> None:
    assert set(tasks()) == {registry.pascal(name) for name in (*ALL, *registry.UPGRADE)}


@pytest.mark.parametrize("name", registry.UPGRADE)
def test_every_step_of_an_upgrade_has_a_state_that_names_it_to_their_one_lambda(name: str) -> None:
    state = tasks()[registry.pascal(name)]
    assert (state["Resource"], state["Parameters"]["phase"]) == ("${UpgradeArn}", name)
    assert name == registry.load(name).evidence.PHASE  # type: ignore[attr-defined]
    assert state["TimeoutSeconds"] > CONFIG["stages"]["api"]["lambda_functions"]["Upgrade"]["lambda_timeout"]


@pytest.mark.parametrize("name", ALL)
def test_every_phase_has_a_handler_that_runs_it_and_no_other(name: str) -> None:
    source = ast.unparse(HANDLERS[f"{name}_task"])
    assert f"@app.lambda_function(name='{registry.pascal(name)}')" in source
    assert f"runner.run('{name}', event, aws(), utc_now)" in source


@pytest.mark.parametrize("name", ALL)
def test_every_phase_has_a_policy_of_its_own_and_the_package_uses_it(name: str) -> None:
    assert (ROOT / f"controlplane/chalicelib/phases/{name}/policy.json").is_file()
    assert all(statement["Sid"] for statement in policies.documents()[name]["Statement"])
    used = CONFIG["stages"]["api"]["lambda_functions"][registry.pascal(name)]
    assert used["iam_policy_file"] == f"policies/{name}.json"


def test_there_is_no_policy_without_a_function() -> None:
    assert set(policies.files()) == {
        *ALL,
        *NIGHTLY,
        *FLEETS,
        "api",
        "load_worker",
        "sweep",
        "tell",
        "upgrade",
        policies.CHANGE_STACKS,
    }


@pytest.mark.parametrize("name", ALL)
def test_every_phase_has_a_test_file_of_its_own(name: str) -> None:
    assert (ROOT / f"tests/unit/phases/{name}/test_{name}.py").is_file()


@pytest.mark.parametrize("name", ALL)
def test_the_state_waits_longer_than_its_lambda_may_run(name: str) -> None:
    lambda_timeout = CONFIG["stages"]["api"]["lambda_functions"][registry.pascal(name)]["lambda_timeout"]
    assert tasks()[registry.pascal(name)]["TimeoutSeconds"] > lambda_timeout


def test_every_error_name_of_ours_that_the_workflow_matches_is_defined() -> None:
    of_aws = ("States.", "Lambda.", "Sandbox.", "Runtime.")
    matched = {
        name
        for state in tasks().values()
        for rule in (*state.get("Catch", ()), *state.get("Retry", ()))
        for name in rule["ErrorEquals"]
        if not name.startswith(of_aws)
    }
    assert matched == {"LockLost", "PhaseFailed", "Throttled"}
    assert all(hasattr(errors, name) for name in matched)


@pytest.mark.parametrize(
    ("machine", "role", "workflow"),
    [
        ("StateMachine", "StateMachineRole", "rollout"),
        ("Night", "NightRole", "nightly"),
        ("Fleet", "FleetRole", "fleet"),
    ],
)
def test_every_substitution_of_a_workflow_is_given_and_may_be_invoked(machine: str, role: str, workflow: str) -> None:
    given = RESOURCES["Resources"][machine]["Properties"]["DefinitionSubstitutions"]
    needed = set(re.findall(r"\$\{(\w+)\}", json.dumps(_read(f"statemachine/{workflow}.asl.yaml"))))
    assert set(given) == needed
    allowed = RESOURCES["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
    invoked = {item["Fn::GetAtt"][0] + "Arn" for item in allowed["Statement"][0]["Resource"]}
    assert invoked == needed - {"Partition"}


NIGHT = _read("statemachine/nightly.asl.yaml")["States"]
EACH = NIGHT["RevalidateAll"]["ItemProcessor"]["States"]


@pytest.mark.parametrize("name", NIGHTLY)
def test_every_task_of_the_night_has_lambda_handler_policy_and_time_enough(name: str) -> None:
    stem = registry.pascal(name)
    state = (NIGHT | EACH)[stem]
    assert state["Resource"] == f"${{{stem}Arn}}"
    assert f"night.{name}(event, aws(), utc_now)" in ast.unparse(HANDLERS[f"{name}_task"])
    used = CONFIG["stages"]["api"]["lambda_functions"][stem]
    assert used["iam_policy_file"] == f"policies/{name}.json"
    assert state["TimeoutSeconds"] > used["lambda_timeout"]
    assert "Throttled" in state["Retry"][0]["ErrorEquals"]


def test_one_broken_environment_stops_no_other_and_only_a_few_are_checked_at_once() -> None:
    every = NIGHT["RevalidateAll"]
    assert every["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert every["ToleratedFailurePercentage"] == 100
    assert 0 < every["MaxConcurrency"] <= 20


def test_what_the_night_carries_does_not_grow_with_the_number_of_environments() -> None:
    """Items come from S3, each gives back nothing, and the list of those nothings is dropped."""
    every = NIGHT["RevalidateAll"]
    assert every["ItemReader"]["Resource"].endswith("s3:getObject")
    ends = [state for state in EACH.values() if state.get("End")]
    assert [(state["Type"], state["Result"]) for state in ends] == [("Pass", {})]
    assert every["ResultPath"] is None


def test_the_schedule_starts_the_night_and_may_do_so() -> None:
    target = RESOURCES["Resources"]["NightlySchedule"]["Properties"]["Target"]
    assert target["Arn"] == {"Ref": "Night"}
    role = RESOURCES["Resources"][target["RoleArn"]["Fn::GetAtt"][0]]["Properties"]["Policies"][0]["PolicyDocument"]
    grants = [(item["Action"], item["Resource"]) for item in role["Statement"]]
    assert ("states:StartExecution", {"Ref": "Night"}) in grants


def test_a_failure_from_deploy_stack_on_goes_through_roll_back_and_restore_settings() -> None:
    steps = ("await_approval", "shift_traffic", "apply_settings", "bake")
    for name in (registry.pascal(item) for item in (*registry.PHASES[3:11], *steps)):
        assert [rule["Next"] for rule in STATES[name]["Catch"]] == ["RollBack"], name
    assert STATES["RollBackDone"]["Default"] == "RestoreSettings"


def test_a_failed_removal_is_not_rolled_back_and_a_deploy_whose_last_phase_failed_is() -> None:
    assert [rule["Next"] for rule in STATES["CleanUp"]["Catch"]] == ["CleanUpFailed"]
    chosen = STATES["CleanUpFailed"]
    assert chosen["Choices"] == [{"Variable": "$.action", "StringEquals": "cleanup", "Next": "RecordOutcome"}]
    assert chosen["Default"] == "RollBack"


def test_a_caught_failure_never_ends_as_a_success() -> None:
    assert STATES["Ended"]["Choices"] == [{"Variable": "$.error", "IsNull": True, "Next": "Succeeded"}]
    assert STATES[STATES["Ended"]["Default"]]["Type"] == "Fail"


def test_every_task_has_a_deadline_and_a_catch() -> None:
    for name, state in tasks().items():
        waits_for_a_person = "waitForTaskToken" in state["Resource"]
        assert state["TimeoutSeconds"] <= (86_400 if waits_for_a_person else 900), name
        assert name == "RecordOutcome" or state["Catch"], name
    assert WORKFLOW["TimeoutSeconds"]


def test_the_order_of_a_deploy_is_the_designs() -> None:
    order, name = [], "Preflight"
    while name != "RecordOutcome":
        order.append(name)
        name = STATES[STATES[name]["Next"]]["Default"]
    after_load = ["ShiftTraffic", "ApplySettings", "Bake", "VerifyIdempotency", "WriteHandoff", "CleanUp"]
    assert order == ["Preflight", "SkipUnchanged", *map(registry.pascal, registry.PHASES[1:9]), *after_load]
    assert order[2:] == list(map(registry.pascal, registry.deploy_order(approval=False)))


def test_the_look_may_go_on_with_every_phase_of_a_deploy() -> None:
    chosen = STATES["SkipUnchangedDone"]
    targets = {rule["StringEquals"]: rule["Next"] for rule in chosen["Choices"]}
    assert all(rule["Variable"] == "$.result.next" for rule in chosen["Choices"])
    assert targets == {name: name for name in map(registry.pascal, registry.DEPLOY[1:])}
    assert chosen["Default"] == registry.pascal(registry.DEPLOY[0])


FLEET = _read("statemachine/fleet.asl.yaml")["States"]


@pytest.mark.parametrize("name", FLEETS)
def test_every_task_of_a_fleet_has_lambda_handler_policy_and_time_enough(name: str) -> None:
    stem = registry.pascal(name)
    state = (FLEET | FLEET["RollMembers"]["ItemProcessor"]["States"])[stem]
    assert state["Resource"] == f"${{{stem}Arn}}"
    assert f"{FLEETS[name]}.{name}(event, aws(), utc_now)" in ast.unparse(HANDLERS[f"{name}_task"])
    used = CONFIG["stages"]["api"]["lambda_functions"][stem]
    assert used["iam_policy_file"] == f"policies/{name}.json"
    assert state["TimeoutSeconds"] > used["lambda_timeout"]


def test_one_broken_member_stops_no_other_and_the_request_says_how_many_run_at_once() -> None:
    every = FLEET["RollMembers"]
    assert every["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert (every["ToleratedFailurePercentage"], every["MaxConcurrencyPath"]) == (100, "$.at_once")


def test_the_sweeper_hears_of_the_end_of_rollouts_and_fleets() -> None:
    pattern = RESOURCES["Resources"]["ExecutionEnded"]["Properties"]["EventPattern"]
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": "StateMachine"}, {"Ref": "Fleet"}]
