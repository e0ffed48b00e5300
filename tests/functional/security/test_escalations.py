"""Who holds one role of the control plane tries to get more rights, in the embedded cloud with IAM enforced.

Each attempt is refused with AccessDenied; beside each kind stands what the same role must be able to do, so that a
refusal is no accident of a broken policy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.security.conftest import ACCOUNT, BOUNDARY, EMPTY_TEMPLATE, REGION, STACKS_ROLE, Account

_STACK = "proxyctl-env-dev"
_EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
)
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_PROXY, _UNBOUND, _NEW = (f"proxyctl-{name}-proxy-{REGION}" for name in ("dev", "old", "evil"))
Attempt = Callable[[Any, Account], object]


def change_set(name: str, **other: Any) -> Attempt:
    arguments = {"StackName": _STACK, "ChangeSetName": name, "ChangeSetType": "CREATE", "TemplateBody": EMPTY_TEMPLATE}
    return lambda client, account: client.create_change_set(**arguments, **other)


def call(operation: str, **arguments: Any) -> Attempt:
    """`CONTROL` stands for the id of the control API."""

    def attempt(client: Any, account: Account) -> object:
        given = {name: account.control_api if value == "CONTROL" else value for name, value in arguments.items()}
        return getattr(client, operation)(**given)

    return attempt


def put(key: str) -> Attempt:
    return call("put_item", TableName="proxyctl", Item={"pk": {"S": key}, "sk": {"S": "FORGED"}})


def tag(client: Any, api: str) -> object:
    arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}"
    return client.tag_resource(resourceArn=arn, tags={"proxyctl:environment": "dev"})


def with_tag(client: Any, account: Account, attempt: Attempt) -> object:
    """The attempt on the control API, after somebody else has tagged that."""
    operator = account.operator("apigateway")
    tag(operator, account.control_api)
    try:
        return attempt(client, account)
    finally:
        arn = f"arn:aws:apigateway:{REGION}::/restapis/{account.control_api}"
        operator.untag_resource(resourceArn=arn, tagKeys=["proxyctl:environment"])


def stage(client: Any, account: Account) -> object:
    throttle = {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0"}
    return client.update_stage(restApiId=account.control_api, stageName="api", patchOperations=[throttle])


_TITLE = {"op": "replace", "path": "/name", "value": "mine"}
REFUSED: Mapping[str, tuple[str, str, Attempt]] = {
    "a phase creates a role": (
        "deploy_stack", "iam", call("create_role", RoleName=_NEW, AssumeRolePolicyDocument=_TRUST)),
    "a phase creates a bound role": (
        "deploy_stack", "iam",
        call("create_role", RoleName=_NEW, AssumeRolePolicyDocument=_TRUST, PermissionsBoundary=BOUNDARY)),
    "a phase writes a role's policy": (
        "deploy_stack", "iam",
        call("put_role_policy", RoleName=_PROXY, PolicyName="x", PolicyDocument=_EVERYTHING)),
    "a phase attaches a policy": (
        "deploy_stack", "iam", call("attach_role_policy", RoleName=_PROXY, PolicyArn=_ADMINISTRATOR)),
    "a phase lets itself assume a role": (
        "deploy_stack", "iam", call("update_assume_role_policy", RoleName=_PROXY, PolicyDocument=_TRUST)),
    "a phase takes the boundary off": (
        "deploy_stack", "iam", call("delete_role_permissions_boundary", RoleName=_PROXY)),
    "a phase sets another boundary": (
        "deploy_stack", "iam",
        call("put_role_permissions_boundary", RoleName=_PROXY, PermissionsBoundary=_ADMINISTRATOR)),
    "a phase widens the boundary": (
        "deploy_stack", "iam",
        call("create_policy_version", PolicyArn=BOUNDARY, PolicyDocument=_EVERYTHING, SetAsDefault=True)),
    "CloudFormation's role creates an unbound role": (
        "change_stacks", "iam", call("create_role", RoleName=_NEW, AssumeRolePolicyDocument=_TRUST)),
    "CloudFormation's role creates a role with another boundary": (
        "change_stacks", "iam",
        call("create_role", RoleName=_NEW, AssumeRolePolicyDocument=_TRUST, PermissionsBoundary=_ADMINISTRATOR)),
    "CloudFormation's role creates a role of another name": (
        "change_stacks", "iam",
        call("create_role", RoleName="mine", AssumeRolePolicyDocument=_TRUST, PermissionsBoundary=BOUNDARY)),
    "CloudFormation's role writes the policy of an unbound role": (
        "change_stacks", "iam",
        call("put_role_policy", RoleName=_UNBOUND, PolicyName="x", PolicyDocument=_EVERYTHING)),
    "CloudFormation's role takes the boundary off": (
        "change_stacks", "iam", call("delete_role_permissions_boundary", RoleName=_PROXY)),
    "CloudFormation's role changes the control API": (
        "change_stacks", "apigateway", call("update_rest_api", restApiId="CONTROL", patchOperations=[_TITLE])),
    "CloudFormation's role deletes the control API": (
        "change_stacks", "apigateway", call("delete_rest_api", restApiId="CONTROL")),
    "a change set without CloudFormation's role": (
        "deploy_stack", "cloudformation", change_set("proxyctl-deploy-d1")),
    "a change set with the administrator's role": (
        "deploy_stack", "cloudformation",
        change_set("proxyctl-deploy-d1", RoleARN=f"arn:aws:iam::{ACCOUNT}:role/administrator")),
    "a change set of another phase's name": (
        "deploy_stack", "cloudformation", change_set("proxyctl-apply-d1", RoleARN=STACKS_ROLE)),
    "a plan under the name that deploy_stack executes": (
        "make_plan", "cloudformation", change_set("proxyctl-deploy-d1")),
    "a plan with CloudFormation's role": (
        "make_plan", "cloudformation", change_set("proxyctl-plan-d1", RoleARN=STACKS_ROLE)),
    "a plan is executed by make_plan": (
        "make_plan", "cloudformation",
        call("execute_change_set", StackName=_STACK, ChangeSetName="proxyctl-plan-d9")),
    "a plan is executed by deploy_stack": (
        "deploy_stack", "cloudformation",
        call("execute_change_set", StackName=_STACK, ChangeSetName="proxyctl-plan-d9")),
    "deploy_stack's change set is executed by apply_settings": (
        "apply_settings", "cloudformation",
        call("execute_change_set", StackName=_STACK, ChangeSetName="proxyctl-deploy-d9")),
    "a phase imports the control API into its stack": (
        "deploy_stack", "cloudformation",
        lambda client, account: client.create_change_set(
            StackName=_STACK, ChangeSetName="proxyctl-deploy-d2", ChangeSetType="IMPORT", RoleARN=STACKS_ROLE,
            TemplateBody=EMPTY_TEMPLATE,
            ResourcesToImport=[{
                "ResourceType": "AWS::ApiGateway::RestApi", "LogicalResourceId": "Api",
                "ResourceIdentifier": {"RestApiId": account.control_api},
            }])),
    "a phase creates a stack without a change set": (
        "deploy_stack", "cloudformation",
        call("create_stack", StackName=_STACK, TemplateBody=EMPTY_TEMPLATE, RoleARN=STACKS_ROLE)),
    "a phase changes the control plane's stack": (
        "deploy_stack", "cloudformation",
        call("create_change_set", StackName="proxyctl", ChangeSetName="proxyctl-deploy-d3",
             TemplateBody=EMPTY_TEMPLATE, RoleARN=STACKS_ROLE)),
    "clean_up deletes a stack with rights of its own": (
        "clean_up", "cloudformation", call("delete_stack", StackName=_STACK)),
    "clean_up deletes the control plane": (
        "clean_up", "cloudformation", call("delete_stack", StackName="proxyctl", RoleARN=STACKS_ROLE)),
    "clean_up changes the control API": (
        "clean_up", "apigateway", call("update_rest_api", restApiId="CONTROL", patchOperations=[_TITLE])),
    "clean_up deletes the control API": ("clean_up", "apigateway", call("delete_rest_api", restApiId="CONTROL")),
    "deploy_stack changes the control API": (
        "deploy_stack", "apigateway", call("update_rest_api", restApiId="CONTROL", patchOperations=[_TITLE])),
    "a phase tags the control API like an environment's": (
        "apply_settings", "apigateway", lambda client, account: tag(client, account.control_api)),
    "CloudFormation's role tags the control API like an environment's": (
        "change_stacks", "apigateway", lambda client, account: tag(client, account.control_api)),
    "a phase changes a stage of the control API that bears an environment's tag": (
        "deploy_stack", "apigateway", lambda client, account: with_tag(client, account, stage)),
    "CloudFormation's role changes the control API that bears an environment's tag": (
        "change_stacks", "apigateway",
        lambda client, account: with_tag(
            client, account, call("update_rest_api", restApiId="CONTROL", patchOperations=[_TITLE]))),
    "a phase reads a key": (
        "bake", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/openai")),
    "release_code reads a key": (
        "release_code", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/openai")),
    "tell reads a provider's key": (
        "tell", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/openai")),
    "prepare_secret reads a webhook's key": (
        "prepare_secret", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/webhook")),
    "check_drift reads a webhook's key": (
        "check_drift", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/webhook")),
    "the API reads a webhook's key": (
        "api", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/webhook")),
    "the API overwrites a webhook's key": (
        "api", "secretsmanager", call("put_secret_value", SecretId="proxyctl/dev/webhook", SecretString="x")),
    "prepare_secret reads somebody else's secret": (
        "prepare_secret", "secretsmanager", call("get_secret_value", SecretId="payroll/database")),
    "a phase writes an idempotency claim": ("bake", "dynamodb", put("CLAIM#1")),
    "a phase forges a night": ("bake", "dynamodb", put("NIGHT#2026-11-26")),
    "a phase forges what preflight remembers": ("bake", "dynamodb", put("CONTROLPLANE#proxyctl")),
    "a worker forges an environment": ("load_worker", "dynamodb", put("ENVIRONMENT#dev")),
    "a summary forges a deployment": ("summarize_night", "dynamodb", put("DEPLOYMENT#d1")),
    "the sender of events reads an environment": (
        "tell", "dynamodb",
        call("get_item", TableName="proxyctl", Key={"pk": {"S": "ENVIRONMENT#dev"}, "sk": {"S": "META"}})),
    "a phase assumes a role": (
        "bake", "sts", call("assume_role", RoleArn=STACKS_ROLE, RoleSessionName="attacker")),
}  # fmt: skip
ALLOWED: Mapping[str, tuple[str, str, Attempt]] = {
    "deploy_stack's own change set": (
        "deploy_stack", "cloudformation", change_set("proxyctl-deploy-d4", RoleARN=STACKS_ROLE)),
    "a plan": ("make_plan", "cloudformation", change_set("proxyctl-plan-d4")),
    "a bound role by CloudFormation's role": (
        "change_stacks", "iam",
        call("create_role", RoleName=f"proxyctl-qa-proxy-{REGION}", AssumeRolePolicyDocument=_TRUST,
             PermissionsBoundary=BOUNDARY)),
    "a bound role's policy by CloudFormation's role": (
        "change_stacks", "iam",
        call("put_role_policy", RoleName=_PROXY, PolicyName="x", PolicyDocument=_EVERYTHING)),
    "an environment's API by CloudFormation's role": (
        "change_stacks", "apigateway",
        lambda client, account: client.update_rest_api(restApiId=account.environment_api, patchOperations=[_TITLE])),
    "a phase tags an environment's API": (
        "apply_settings", "apigateway", lambda client, account: tag(client, account.environment_api)),
    "the boundary on a role that has none": (
        "deploy_stack", "iam",
        call("put_role_permissions_boundary", RoleName=f"proxyctl-qa-proxy-{REGION}", PermissionsBoundary=BOUNDARY)),
    "prepare_secret reads a key": (
        "prepare_secret", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/openai")),
    "tell reads a webhook's key": (
        "tell", "secretsmanager", call("get_secret_value", SecretId="proxyctl/dev/webhook")),
    "a phase's record": ("bake", "dynamodb", put("DEPLOYMENT#d1")),
    "a worker's figures": ("load_worker", "dynamodb", put("DEPLOYMENT#d1")),
    "a night's summary": ("summarize_night", "dynamodb", put("NIGHTS")),
    "what preflight remembers": (
        "preflight", "dynamodb",
        call("get_item", TableName="proxyctl", Key={"pk": {"S": "CONTROLPLANE#x"}, "sk": {"S": "A"}})),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_attempt_is_refused(account: Account, name: str) -> None:
    stem, service, attempt = REFUSED[name]
    with pytest.raises(ClientError) as refused:
        attempt(account.phase(stem, service), account)
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"), refused.value


@pytest.mark.parametrize("name", ALLOWED)
def test_what_a_role_is_for_is_allowed(account: Account, name: str) -> None:
    stem, service, attempt = ALLOWED[name]
    attempt(account.phase(stem, service), account)


def test_a_bound_role_with_a_policy_for_everything_reads_its_key_and_does_nothing_else(account: Account) -> None:
    """What an attacker has who changes an environment's policy: what any proxy has."""
    operator = account.operator("iam")
    operator.put_role_policy(RoleName=_PROXY, PolicyName="everything", PolicyDocument=_EVERYTHING)
    secrets = account.as_role(_PROXY, "secretsmanager")
    assert secrets.get_secret_value(SecretId="proxyctl/dev/openai")["SecretString"].startswith("sk-canary")
    attempts: list[tuple[Any, Attempt]] = [
        (secrets, call("get_secret_value", SecretId="payroll/database")),
        (secrets, call("put_secret_value", SecretId="proxyctl/dev/openai", SecretString="x")),
        (account.as_role(_PROXY, "iam"), call("create_user", UserName="mine")),
        (account.as_role(_PROXY, "sts"), call("assume_role", RoleArn=STACKS_ROLE, RoleSessionName="attacker")),
        (account.as_role(_PROXY, "dynamodb"), put("ENVIRONMENT#dev")),
        (account.as_role(_PROXY, "apigateway"), call("delete_rest_api", restApiId="CONTROL")),
    ]
    for client, attempt in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt(client, account)


def test_a_role_that_cloudformation_makes_carries_the_boundary_of_its_template(account: Account) -> None:
    template = {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": "proxyctl-cf-proxy",
                    "PermissionsBoundary": BOUNDARY,
                    "AssumeRolePolicyDocument": json.loads(_TRUST),
                },
            }
        }
    }
    formation = account.operator("cloudformation")
    formation.create_stack(StackName="bound", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
    formation.get_waiter("stack_create_complete").wait(StackName="bound", WaiterConfig={"Delay": 1})
    role = account.operator("iam").get_role(RoleName="proxyctl-cf-proxy")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
