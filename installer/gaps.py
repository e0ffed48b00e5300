"""IAM actions whose resource the embedded cloud cannot know: a task token does not tell the state machine.

For these, and in the embedded cloud only, a role that may do the action on an ARN may also do it on `*`. All others are
authorised there as in an account (local/inside/iam/resources.py).
"""

import copy
from collections.abc import Iterator
from fnmatch import fnmatchcase

from installer.packaging.template import Statement, Template

# The action, and the resource that a policy names on AWS.
CHECKED_ON_EVERYTHING: dict[str, str] = {
    "states:SendTaskSuccess": "the state machine whose task waits",
    "states:SendTaskFailure": "the state machine whose task waits",
}


def widened(template: Template) -> Template:
    """A copy of the template with one more statement in each role policy and boundary that allows such an action."""
    result = copy.deepcopy(template)
    for statements in _policies(result):
        allowed = {action for statement in statements for action in _actions(statement)}
        if missing := sorted(
            name for name in CHECKED_ON_EVERYTHING if any(fnmatchcase(name, each) for each in allowed)
        ):
            statements.append({"Sid": "EmbeddedCloudGaps", "Effect": "Allow", "Action": missing, "Resource": "*"})
    return result


def _policies(template: Template) -> Iterator[list[Statement]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                yield policy["PolicyDocument"]["Statement"]
        elif resource["Type"] == "AWS::IAM::ManagedPolicy":  # a boundary, which bounds what the roles are given here
            yield resource["Properties"]["PolicyDocument"]["Statement"]


def _actions(statement: Statement) -> list[str]:
    action = statement.get("Action", [])  # none: a denial with NotAction, or a statement under a condition
    return [action] if isinstance(action, str) else action
