"""The proxy's own template as a stack in MiniStack: each resource that is deleted or changed there by hand is found by
the real adapters, made again, and found no more."""

from __future__ import annotations

import json
from collections.abc import Callable

import boto3
import pytest
from chalicelib.domain.aws.stacks import Stack
from chalicelib.domain.config import Config
from chalicelib.domain.model import Release
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.stack import template
from chalicelib.stack.recovery import repair

from tests.fakes.bundles import TEMPLATE
from tests.fakes.requests import environment, request
from tests.functional.adapters.ministack import MiniStack
from tests.functional.stack.conftest import BUCKET, REGION, ports

NAMES = Names("dev")
ROLE = NAMES.role(REGION)


@pytest.fixture(scope="module")
def aws(emulator: MiniStack) -> Aws:
    over = ports()
    create_stack()
    return over


def create_stack() -> None:
    formation = boto3.client("cloudformation")
    inputs = template.StackInputs("dev", BUCKET, "a.zip", "arn:aws:secretsmanager:eu-central-1:1:secret:x-abcdef")
    values = template.parameters(Config(), inputs, creates=True) | {
        "Runtime": "provided.al2023",
        "ResponseMode": "buffered",
        "AccessLogs": "off",
    }
    snapshot = template.snapshot_id(TEMPLATE, template.shaping(values))
    formation.create_stack(
        StackName=NAMES.stack,
        TemplateBody=template.with_snapshots(TEMPLATE, snapshot, snapshot),
        Parameters=[{"ParameterKey": name, "ParameterValue": value or ""} for name, value in values.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    formation.get_waiter("stack_create_complete").wait(StackName=NAMES.stack, WaiterConfig={"Delay": 1})


def ask() -> Request:
    good = Release("1", "d-old", "t", config={})
    return request(environment=environment(live=good, last_good=good))


def stack_of(aws: Aws) -> Stack:
    stack = aws.stacks.find(NAMES.stack)
    assert stack
    return stack


def drop_alias(name: str) -> Callable[[str], object]:
    return lambda _: boto3.client("lambda").delete_alias(FunctionName=NAMES.function, Name=name)


def drop_permission(alias: str) -> Callable[[str], object]:
    def spoil(_: str) -> None:
        functions = boto3.client("lambda")
        policy = json.loads(functions.get_policy(FunctionName=NAMES.function, Qualifier=alias)["Policy"])
        for statement in policy["Statement"]:
            functions.remove_permission(FunctionName=NAMES.function, Qualifier=alias, StatementId=statement["Sid"])

    return spoil


def drop_stage(name: str) -> Callable[[str], object]:
    return lambda api: boto3.client("apigateway").delete_stage(restApiId=api, stageName=name)


def patch_stage(name: str, path: str, value: str) -> Callable[[str], object]:
    operations = [{"op": "replace", "path": path, "value": value}]
    return lambda api: boto3.client("apigateway").update_stage(
        restApiId=api, stageName=name, patchOperations=operations
    )


def another_snapshot(api: str) -> None:
    gateway = boto3.client("apigateway")
    created = gateway.create_deployment(restApiId=api)["id"]
    patch_stage("api", "/deploymentId", created)(api)


def drop_group(name: str) -> Callable[[str], object]:
    return lambda _: boto3.client("logs").delete_log_group(logGroupName=name)


def drop_policy(_: str) -> None:
    boto3.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="proxy")


# What someone does, given the API's id, and the first thing that is named.
ROWS: dict[str, tuple[Callable[[str], object], str]] = {
    "live alias": (drop_alias("live"), "alias live was deleted"),
    "candidate alias": (drop_alias("candidate"), "alias candidate was deleted"),
    "live permission": (drop_permission("live"), "permission of alias live was deleted"),
    "candidate permission": (drop_permission("candidate"), "permission of alias candidate was deleted"),
    "users' stage": (drop_stage("api"), "stage api was deleted"),
    "candidate's stage": (drop_stage("candidate"), "stage candidate was deleted"),
    "throttle": (patch_stage("api", "/*/*/throttling/rateLimit", "3"), "stage api was changed (rate 3, not 50)"),
    "snapshot": (another_snapshot, "stage api was changed (deployment"),
    "log group": (drop_group(NAMES.log_group), f"log group {NAMES.log_group} was deleted"),
    "access log": (drop_group(NAMES.access_log_group), f"log group {NAMES.access_log_group} was deleted"),
    "policy": (drop_policy, f"role policy {ROLE} was deleted"),
}


def test_a_stack_that_nobody_touched_has_no_losses(aws: Aws) -> None:
    assert repair.find_losses(stack_of(aws), ask(), aws) == ()


@pytest.mark.parametrize("row", ROWS)
def test_what_is_deleted_or_changed_is_found_made_again_and_found_no_more(aws: Aws, row: str) -> None:
    spoil, named = ROWS[row]
    stack = stack_of(aws)
    spoil(stack.outputs["ApiId"])
    losses = repair.find_losses(stack, ask(), aws)
    assert str(losses[0]).startswith(named), list(map(str, losses))
    repaired = repair.repair(losses, stack, ask(), aws)
    assert len(repaired.lines) == len(losses)
    left = [str(loss) for loss in repair.find_losses(stack, ask(), aws)]
    # The stack writes the policy of a role: phases do that by an update.
    assert left == ([f"role policy {ROLE} was deleted"] if row == "policy" else [])
    assert repaired.policy == (row == "policy")


def test_the_stack_can_be_updated_after_it_and_writes_the_policy_of_the_role_again(aws: Aws) -> None:
    formation = boto3.client("cloudformation")
    parameters = [
        {"ParameterKey": name, "ParameterValue": {"Repair": "again", "ThrottleRate": "77"}.get(name, value)}
        for name, value in stack_of(aws).parameters.items()
    ]
    formation.update_stack(
        StackName=NAMES.stack,
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    formation.get_waiter("stack_update_complete").wait(StackName=NAMES.stack, WaiterConfig={"Delay": 1})
    assert repair.find_losses(stack_of(aws), ask(), aws) == ()
    state = aws.gateway.stage(stack_of(aws).outputs["ApiId"], "api")
    assert state is not None
    assert state.rate_per_s == 77
