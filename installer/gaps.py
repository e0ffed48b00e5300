"""IAM actions that the embedded cloud checks against another resource or name than AWS does.

It authorises some actions on `*` where AWS authorises them on the ARN that a policy names, and some calls under another
action's name. For these, and in the embedded cloud only, a role that may do the action on an ARN may also do it on `*`.
The policies of the control plane stay what an account needs; docs/fidelity.md lists the gaps.
"""

import copy
from collections.abc import Iterator

from installer.packaging.template import Statement, Template

# Seen in MiniStack 1.5.33: the action, and the resource that a policy names on AWS.
CHECKED_ON_EVERYTHING: dict[str, str] = {
    "iam:SimulatePrincipalPolicy": "the role to simulate",
    "logs:DescribeLogGroups": "the account's log groups",
    "cloudwatch:DescribeAlarms": "the account's alarms",
    "cloudwatch:PutDashboard": "the dashboard",
    "cloudwatch:GetDashboard": "the dashboard",
    "states:SendTaskSuccess": "the state machine whose task waits",
    "states:SendTaskFailure": "the state machine whose task waits",
    "lambda:DeleteFunction": "a version of the function; MiniStack checks the function without the version",
    "lambda:InvokeFunction": "a version of the function; MiniStack checks the function without the version",
    "cloudwatch:DeleteDashboards": "the dashboards by name",
    "cloudwatch:DeleteAlarms": "the alarms by name",
}

# Calls that AWS authorises as another action, and the embedded cloud by their own name.
OTHER_ACTIONS: dict[str, str] = {
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
}


def widened(template: Template) -> Template:
    """A copy of the template with one more statement in each role policy that holds such an action."""
    result = copy.deepcopy(template)
    for statements in _policies(result):
        allowed = {action for statement in statements for action in _actions(statement)}
        missing = _missing(allowed)
        if missing:
            statements.append({"Sid": "EmbeddedCloudGaps", "Effect": "Allow", "Action": missing, "Resource": "*"})
    return result


def _missing(allowed: set[str]) -> list[str]:
    others = {other for action, other in OTHER_ACTIONS.items() if action in allowed}
    return sorted(allowed & set(CHECKED_ON_EVERYTHING) | others)


def _policies(template: Template) -> Iterator[list[Statement]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                yield policy["PolicyDocument"]["Statement"]


def _actions(statement: Statement) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action
