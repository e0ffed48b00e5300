"""The roles of the phases may do what finding and repairing a loss takes: no call of it is denied."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.security.conftest import ACCOUNT, REGION, Account

_FUNCTION, _STACK = "proxyctl-dev-proxy", "proxyctl-env-dev"
_SEES = ("deploy_stack", "apply_settings", "restore_settings", "make_plan", "verify_idempotency", "check_drift")
_REPAIRS = ("deploy_stack", "apply_settings", "restore_settings")
# Each service has its own: SNS says AuthorizationError; S3's HEAD has no body, so that there is the status alone.
_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "403")
Call = tuple[str, Callable[[Any, Account], object]]
SEEING: dict[str, Call] = {
    "who may call": ("lambda", lambda client, _: client.get_policy(FunctionName=_FUNCTION, Qualifier="live")),
    "stage": ("apigateway", lambda client, at: client.get_stage(restApiId=at.environment_api, stageName="api")),
    "API": ("apigateway", lambda client, at: client.get_rest_api(restApiId=at.environment_api)),
    "resources": ("cloudformation", lambda client, _: client.list_stack_resources(StackName=_STACK)),
    "role": ("iam", lambda client, _: client.get_role(RoleName=f"proxyctl-dev-proxy-{REGION}")),
    "aliases": ("lambda", lambda client, _: client.list_aliases(FunctionName=_FUNCTION)),
}
_PERMISSION = {
    "FunctionName": _FUNCTION,
    "Qualifier": "live",
    "StatementId": "again",
    "Action": "lambda:InvokeFunction",
    "Principal": "apigateway.amazonaws.com",
    "SourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1/api/*/*",
}
_THROTTLE = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "3"}]
REPAIRING: dict[str, Call] = {
    "alias": ("lambda", lambda client, _: client.create_alias(FunctionName=_FUNCTION, Name="x", FunctionVersion="1")),
    "permission": ("lambda", lambda client, _: client.add_permission(**_PERMISSION)),
    "new stage": (
        "apigateway",
        lambda client, at: client.create_stage(restApiId=at.environment_api, stageName="again", deploymentId="none"),
    ),
    "stage": (
        "apigateway",
        lambda client, at: client.update_stage(
            restApiId=at.environment_api, stageName="again", patchOperations=_THROTTLE
        ),
    ),
    "log group": ("logs", lambda client, _: client.create_log_group(logGroupName="/aws/apigateway/proxyctl-dev")),
}


def attempt(account: Account, phase: str, call: Call) -> str:
    """The error's code, "" without one."""
    return attempt_as(account, account.role(phase), call)


def attempt_as(account: Account, role: str, call: Call) -> str:
    service, act = call
    try:
        act(account.as_role(role, service), account)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize("what", SEEING)
@pytest.mark.parametrize("phase", _SEES)
def test_a_phase_may_see_what_a_loss_is_found_by(account: Account, phase: str, what: str) -> None:
    assert attempt(account, phase, SEEING[what]) not in _DENIED


@pytest.mark.parametrize("what", REPAIRING)
@pytest.mark.parametrize("phase", _REPAIRS)
def test_a_phase_may_make_again_what_was_lost(account: Account, phase: str, what: str) -> None:
    assert attempt(account, phase, REPAIRING[what]) not in _DENIED


@pytest.mark.parametrize("phase", ["roll_back", "check_drift"])
def test_an_alias_that_is_made_again_gets_its_permission(account: Account, phase: str) -> None:
    for call in (SEEING["who may call"], REPAIRING["permission"], SEEING["resources"]):
        assert attempt(account, phase, call) not in _DENIED


_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:proxyctl-dev-alarms"
_BUCKET = f"proxyctl-{ACCOUNT}-{REGION}"
_GROUP = "/aws/lambda/proxyctl-dev-proxy"
MONITORING: dict[str, Call] = {
    "dashboard": ("cloudwatch", lambda client, _: client.get_dashboard(DashboardName="proxyctl")),
    "alarms": ("cloudwatch", lambda client, _: client.describe_alarms(AlarmNamePrefix="proxyctl/dev/")),
    "filters": ("logs", lambda client, _: client.describe_metric_filters(logGroupName=_GROUP)),
    "groups": ("logs", lambda client, _: client.describe_log_groups(logGroupNamePrefix=_GROUP)),
    "queries": ("logs", lambda client, _: client.describe_query_definitions()),
    "topic": ("sns", lambda client, _: client.get_topic_attributes(TopicArn=_TOPIC)),
    "recipients": ("sns", lambda client, _: client.list_subscriptions_by_topic(TopicArn=_TOPIC)),
}


@pytest.mark.parametrize("what", MONITORING)
@pytest.mark.parametrize("phase", ["configure_monitoring", "make_plan", "verify_idempotency"])
def test_a_phase_may_see_how_the_monitoring_stands(account: Account, phase: str, what: str) -> None:
    assert attempt(account, phase, MONITORING[what]) not in _DENIED


STORED: dict[str, Call] = {
    "artifact": (
        "s3",
        lambda client, _: client.head_object(Bucket=_BUCKET, Key="artifacts/dev/a.zip", ChecksumMode="ENABLED"),
    ),
    "secret": ("secretsmanager", lambda client, _: client.restore_secret(SecretId="proxyctl/dev/openai")),
    "document": (
        "s3",
        lambda client, _: client.put_object(Bucket=_BUCKET, Key="reports/d-1/report.html", Body=b"x"),
    ),
}


@pytest.mark.parametrize("phase", ["package_artifact", "make_plan", "verify_idempotency"])
def test_a_phase_may_see_whether_the_artifact_is_intact(account: Account, phase: str) -> None:
    assert attempt(account, phase, STORED["artifact"]) not in _DENIED


@pytest.mark.parametrize("what", ["dashboard", "alarms", "filters", "groups", "topic", "recipients"])
def test_check_drift_may_see_the_monitoring(account: Account, what: str) -> None:
    assert attempt(account, "check_drift", MONITORING[what]) not in _DENIED


@pytest.mark.parametrize("phase", ["prepare_secret", "check_drift"])
def test_a_scheduled_deletion_of_the_secret_may_be_cancelled(account: Account, phase: str) -> None:
    assert attempt(account, phase, STORED["secret"]) not in _DENIED


@pytest.mark.parametrize("phase", ["record_outcome", "write_handoff"])
def test_documents_may_be_written(account: Account, phase: str) -> None:
    assert attempt(account, phase, STORED["document"]) not in _DENIED


@pytest.fixture(scope="module", autouse=True)
def bucket(account: Account) -> None:
    """The control plane's, with an artifact: without one S3 says that there is none instead of refusing."""
    storage = account.operator("s3")
    storage.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    storage.put_object(Bucket=_BUCKET, Key="artifacts/dev/a.zip", Body=b"x")


EVERY = {
    f"{table} {what}": call
    for table, calls in (("sees", SEEING), ("repairs", REPAIRING), ("monitors", MONITORING), ("stores", STORED))
    for what, call in calls.items()
}


@pytest.fixture(scope="module")
def nobody(account: Account) -> str:
    """The name of a role without any right."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    account.operator("iam").create_role(RoleName="nobody", AssumeRolePolicyDocument=json.dumps(trust))
    return "nobody"


@pytest.mark.parametrize("what", EVERY)
def test_each_of_these_calls_is_refused_to_a_role_without_rights(account: Account, nobody: str, what: str) -> None:
    """So each row above fails without its statement."""
    assert attempt_as(account, nobody, EVERY[what]) in _DENIED
