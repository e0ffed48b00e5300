"""IAM actions whose resource the embedded cloud cannot tell: it asks for `*` where AWS asks for the ARN in the policy.

For these, and in the embedded cloud only, each role that may do the action on an ARN may do it on `*` too.
Likewise where it knows a call by another name than AWS's. The policies
in controlplane/policies stay what an account needs; docs/fidelity.md lists the gaps.
"""

import copy
from collections.abc import Iterator
from typing import Any

Template = dict[str, Any]

# Seen in MiniStack 1.5.33: action, and what its policy names on AWS.
ASKED_FOR_ON_EVERYTHING: dict[str, str] = {
    "iam:SimulatePrincipalPolicy": "the role that is asked about",
    "logs:DescribeLogGroups": "the account's log groups",
    "cloudwatch:DescribeAlarms": "the account's alarms",
    "cloudwatch:PutDashboard": "the dashboard",
    "states:SendTaskSuccess": "the state machine whose task waits",
    "states:SendTaskFailure": "the state machine whose task waits",
    "lambda:DeleteFunction": "a version of the function; it asks for the function without the version",
    "lambda:InvokeFunction": "a version of the function; it asks for the function without the version",
    "cloudwatch:DeleteDashboards": "the dashboards that are named",
    "cloudwatch:DeleteAlarms": "the alarms that are named",
}

# Calls that AWS authorises as another action, and the embedded cloud by their own name.
CALLED_OTHERWISE: dict[str, str] = {
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
}


def widened(template: Template) -> Template:
    """The template with one more statement in each role policy that holds such an action."""
    told = copy.deepcopy(template)
    for statements in _policies(told):
        held = {action for one in statements for action in _actions(one)}
        wanted = sorted(
            (held & set(ASKED_FOR_ON_EVERYTHING)) | {CALLED_OTHERWISE[one] for one in held & set(CALLED_OTHERWISE)}
        )
        if wanted:
            statements.append({"Sid": "EmbeddedCloudGaps", "Effect": "Allow", "Action": wanted, "Resource": "*"})
    return told


def _policies(template: Template) -> Iterator[list[Any]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                yield policy["PolicyDocument"]["Statement"]


def _actions(statement: dict[str, Any]) -> list[str]:
    given = statement["Action"]
    return [given] if isinstance(given, str) else given
