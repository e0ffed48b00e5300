"""The roles of the phases may do what finding and repairing a loss takes: no call of it is denied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.security.conftest import ACCOUNT, REGION, Account

_FUNCTION, _STACK = "proxyctl-dev-proxy", "proxyctl-env-dev"
_SEES = ("deploy_stack", "apply_settings", "restore_settings", "make_plan", "verify_idempotency", "check_drift")
_REPAIRS = ("deploy_stack", "apply_settings", "restore_settings")
_DENIED = ("AccessDenied", "AccessDeniedException")
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
    service, act = call
    try:
        act(account.as_role(account.role(phase), service), account)
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


@pytest.mark.parametrize("phase", ["package_artifact", "make_plan", "verify_idempotency"])
def test_a_phase_may_see_whether_the_artifact_is_intact(account: Account, phase: str) -> None:
    key = "artifacts/dev/a.zip"
    call: Call = ("s3", lambda client, _: client.head_object(Bucket=_BUCKET, Key=key, ChecksumMode="ENABLED"))
    assert attempt(account, phase, call) not in (*_DENIED, "403")


@pytest.mark.parametrize("what", ["dashboard", "alarms", "filters", "groups", "topic", "recipients"])
def test_check_drift_may_see_the_monitoring(account: Account, what: str) -> None:
    assert attempt(account, "check_drift", MONITORING[what]) not in _DENIED


@pytest.mark.parametrize("phase", ["prepare_secret", "check_drift"])
def test_a_scheduled_deletion_of_the_secret_may_be_cancelled(account: Account, phase: str) -> None:
    call: Call = ("secretsmanager", lambda client, _: client.restore_secret(SecretId="proxyctl/dev/openai"))
    assert attempt(account, phase, call) not in _DENIED


@pytest.mark.parametrize("phase", ["record_outcome", "write_handoff"])
def test_documents_may_be_written(account: Account, phase: str) -> None:
    call: Call = ("s3", lambda client, _: client.put_object(Bucket=_BUCKET, Key="reports/d-1/report.html", Body=b"x"))
    assert attempt(account, phase, call) not in _DENIED
