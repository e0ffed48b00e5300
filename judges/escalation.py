"""Ways from the rights of one role to more: cloudsplaining's table of methods, walked over every policy of the project.

cloudsplaining itself reports actions that nothing restricts. Here a method counts on any resource, because a role's
name pattern is no limit for who may create the role; what limits it (a boundary, a tag, the name of a change set) is
judged by the rules below. Sources: cloudsplaining's `constants.py`, which names Rhino Security Labs' list;
IAM User Guide, "Permissions boundaries"; CloudFormation User Guide, "Service role". A finding is a power that a role
keeps: `accepted/escalation.yaml` explains each, and SECURITY.md says what it is worth to an attacker.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chalicelib.engine.policies import CHANGE_STACKS, role_of

from judges import documents, second_opinion
from judges.authorization import listed, overlap
from judges.documents import Document, Sources

_SCRIPT = Path(__file__).resolve().parent / "inside" / "run_cloudsplaining.py"
_HERE = "eu-central-1:123456789012"
CONTROL_API = f"arn:aws:apigateway:eu-central-1::/restapis/{documents.VARIABLES['RestAPI']}"
# TagResource of API Gateway is a PUT of this, with the ARN of what is tagged in it, escaped.
CONTROL_TAGS = f"arn:aws:apigateway:eu-central-1::/tags/{quote(CONTROL_API, safe='')}"
CONTROL_FUNCTION = f"arn:aws:lambda:{_HERE}:function:proxyctl-DeployStack-1A2B3C"
# Whatever these change, a role gets rights; each needs a condition on the boundary.
_BOUNDED = ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary")
_BOUNDARY_KEY = "iam:PermissionsBoundary"
_WITHOUT_GRANTS = "resources.yaml:ControlPlaneBoundary"
_NAME_KEY, _ROLE_KEY = "cloudformation:ChangeSetName", "cloudformation:RoleArn"
_API_WRITES = ("apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT")
_CODE = (
    "lambda:AddPermission",
    "lambda:DeleteFunction",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
)
_BUCKET = f"arn:aws:s3:::{documents.VARIABLES['BucketName']}"
# Service Authorization Reference: no resource type, so that a statement can only name all.
_UNLIMITED = (
    "logs:DeleteQueryDefinition",
    "logs:PutQueryDefinition",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
)
_TABLE_WRITES = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")


@dataclass(frozen=True)
class Role:
    """A role with all its policies. allows, denies: their statements, without CloudFormation's functions."""

    name: str
    allows: Sequence[Mapping[str, Any]]
    denies: Sequence[Mapping[str, Any]]

    def granting(self, action: str) -> list[Mapping[str, Any]]:
        """The Allow statements of an action."""
        return [statement for statement in self.allows if _is_about(statement, action)]

    def may(self, action: str) -> bool:
        """Whether any statement allows the action on anything, but for the boundary's condition."""
        statements = self.granting(action)
        if action.lower() in {name.lower() for name in _BOUNDED}:
            statements = [statement for statement in statements if _BOUNDARY_KEY not in _keys(statement)]
        return bool(statements)

    def reaches(self, action: str, resource: str) -> Iterator[Mapping[str, Any]]:
        """The Allow statements of an action that cover the resource, unless one denies it."""
        if not any(_is_about(statement, action) and _covers(statement, resource) for statement in self.denies):
            yield from (statement for statement in self.granting(action) if _covers(statement, resource))


def _is_about(statement: Mapping[str, Any], action: str) -> bool:
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in listed(statement["Action"]))


def _covers(statement: Mapping[str, Any], resource: str) -> bool:
    return any(fnmatchcase(resource, str(pattern)) for pattern in listed(statement["Resource"]))


def _keys(statement: Mapping[str, Any]) -> dict[str, list[str]]:
    """Values by condition key, of operators that compare a text."""
    return {
        key: [str(value) for value in listed(values)]
        for operator, pairs in statement.get("Condition", {}).items()
        if operator.removeprefix("ForAllValues:") in ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
        for key, values in pairs.items()
    }


def roles(sources: Sources) -> list[Role]:
    """Every role of the project, sorted by name. The boundary of environments counts as one: it is the most that a
    proxy may do, whatever its policy says. That of the control plane does not: its roles' policies are judged
    themselves, and that it leads to no right beyond it is a test (tests/unit/upgrade/test_boundary.py)."""
    statements: dict[str, list[Mapping[str, Any]]] = {}
    for document in documents.collect(sources):
        for name in _roles_of(document, sources) if _grants(document) else ():
            statements.setdefault(name, []).extend(document.body["Statement"])
    return [
        Role(name, *([each for each in held if each["Effect"] == effect] for effect in ("Allow", "Deny")))
        for name, held in sorted(statements.items())
    ]


def _grants(document: Document) -> bool:
    return document.kind == "identity" and document.owner != _WITHOUT_GRANTS


def _roles_of(document: Document, sources: Sources) -> Sequence[str]:
    stems = {role_of(stem): stem for stem in sources.policies}
    if document.roles:
        return [stems[role] for role in document.roles]
    name = document.owner.partition("/")[0]
    return [CHANGE_STACKS if name == "resources.yaml:ChangeStacksRole" else name]


def methods_of_the_table(role: Role, table: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A method whose actions the role has, on whatever resource. A service assumes the role as well, so
    `sts:AssumeRole` does not count; nor does who starts the code, since every function here is invoked by someone."""
    implied = {"sts:assumerole", "lambda:invokefunction"}
    for method, actions in table.items():
        needed = [action for action in actions if action not in implied] or list(actions)
        if all(role.may(action) for action in needed):
            yield method


def role_changes_without_boundary(role: Role) -> Iterator[str]:
    """IAM User Guide, "Permissions boundaries": who delegates the creation of roles requires the boundary."""
    for action in _BOUNDED:
        if role.may(action):
            yield f"{action} without the boundary"
    if role.granting("iam:DeleteRolePermissionsBoundary"):
        yield "iam:DeleteRolePermissionsBoundary"


def passed_roles(role: Role) -> Iterator[str]:
    """IAM User Guide, "Granting permissions to pass a role": what a role may hand on, and to whom."""
    for statement in role.granting("iam:PassRole"):
        services = _keys(statement).get("iam:PassedToService", ["any service"])
        for resource in listed(statement["Resource"]):
            yield f"passes {resource.rpartition('/')[2] or resource} to {', '.join(services)}"


def change_sets_of_others(role: Role, every: Sequence[Role]) -> Iterator[str]:
    """A change set holds a whole template: who requests one that another executes acts as CloudFormation's role."""
    if any(role.granting(action) for action in ("cloudformation:CreateStack", "cloudformation:UpdateStack")):
        yield "changes stacks without a change set"
    requested = _change_sets(role, "cloudformation:CreateChangeSet")
    if any(name == "*" for name, _ in requested):
        yield "requests change sets of any name"
    for other in every:
        executed = _change_sets(other, "cloudformation:ExecuteChangeSet")
        if other.name != role.name and any(_same(mine, theirs) for mine in requested for theirs in executed):
            yield f"requests change sets that {other.name} executes"
    for action in ("cloudformation:DeleteStack", "cloudformation:ContinueUpdateRollback"):
        if any(_ROLE_KEY not in _keys(statement) for statement in role.granting(action)):
            yield f"{action} without CloudFormation's role"


def _change_sets(role: Role, action: str) -> list[tuple[str, str]]:
    """Names of change sets, and the stacks on which they may be. A transform is no stack: it runs in a change set."""
    return [
        (name, str(stack))
        for statement in role.granting(action)
        for name in _keys(statement).get(_NAME_KEY, ["*"])
        for stack in listed(statement["Resource"])
        if ":transform/" not in str(stack)
    ]


def _same(mine: tuple[str, str], theirs: tuple[str, str]) -> bool:
    return overlap(mine[0], theirs[0]) and overlap(mine[1], theirs[1])


def control_plane_of_others(role: Role) -> Iterator[str]:
    """Nobody but the installer changes the control API or the control plane's functions."""
    for action in _API_WRITES:
        for statement in role.reaches(action, CONTROL_API):
            if not any(key.startswith("aws:ResourceTag/proxyctl:environment") for key in _keys(statement)):
                yield f"{action} on the control API"
    if any(any(role.reaches(action, CONTROL_TAGS)) for action in ("apigateway:POST", "apigateway:PUT")):
        yield "tags the control API, so that conditions on tags hold for it"
    for action in _CODE:
        if any(role.reaches(action, CONTROL_FUNCTION)):
            yield f"{action} on functions of the control plane"


def code_of_environments(role: Role) -> Iterator[str]:
    """Rhino Security Labs, "UpdateFunctionCode", "UpdateFunctionConfiguration" (a layer): code under another role."""
    if role.granting("lambda:UpdateFunctionConfiguration"):
        yield "sets layers and variables of functions"


def secret_values(role: Role) -> Iterator[str]:
    """Each role that may read a value, and which ones."""
    for statement in role.granting("secretsmanager:GetSecretValue"):
        for resource in listed(statement["Resource"]):
            tagged = ", if tagged" if any(key.startswith("aws:ResourceTag/") for key in _keys(statement)) else ""
            yield f"reads secret {resource.partition(':secret:')[2]}{tagged}"


def records_without_leading_keys(role: Role) -> Iterator[str]:
    """DynamoDB Developer Guide, "Fine-grained access control": a writer of one kind of item writes no other."""
    for action in _TABLE_WRITES:
        if any("dynamodb:LeadingKeys" not in _keys(statement) for statement in role.granting(action)):
            yield f"{action} of any record"


def permissions_to_invoke(role: Role) -> Iterator[str]:
    """Lambda Developer Guide, "Granting other entities access": a function's own policy admits whom it names."""
    if any("lambda:Principal" not in _keys(statement) for statement in role.granting("lambda:AddPermission")):
        yield "lets anybody invoke functions"


def released_objects(role: Role) -> Iterator[str]:
    """What is stored as an artifact, or as the bundle that artifacts are made of, becomes code of a proxy."""
    for kind in ("artifacts", "bundles"):
        if any(role.reaches("s3:PutObject", f"{_BUCKET}/{kind}/x")):
            yield f"writes {kind}, which are released"


def started_executions(role: Role) -> Iterator[str]:
    """Who starts a rollout with records of its own passes by what the API checks."""
    if role.granting("states:StartExecution"):
        yield "starts executions"


def of_other_applications(role: Role) -> Iterator[str]:
    """Changes that IAM cannot limit to what is ours, or that a policy does not limit."""
    for action in _UNLIMITED:
        if any("*" in listed(statement["Resource"]) for statement in role.granting(action)):
            yield f"{action} of anybody"
    if any("events:source" not in _keys(statement) for statement in role.granting("events:PutEvents")):
        yield "sends events in any application's name"


def lost_secrets(role: Role) -> Iterator[str]:
    """Whose secrets it can delete, or give back an earlier value."""
    for action in ("secretsmanager:DeleteSecret", "secretsmanager:UpdateSecretVersionStage"):
        if role.granting(action):
            yield f"{action} of any environment"


def roles_in_targets(role: Role) -> Iterator[str]:
    """IAM User Guide, "The confused deputy problem": a role of another account is assumed with an external ID."""
    for statement in role.granting("sts:AssumeRole"):
        for resource in listed(statement["Resource"]):
            bare = "" if "sts:ExternalId" in _keys(statement) else ", without an external ID"
            yield f"assumes {str(resource).rpartition('/')[2]} in any account{bare}"


RULES: tuple[Callable[[Role], Iterator[str]], ...] = (
    role_changes_without_boundary,
    passed_roles,
    control_plane_of_others,
    code_of_environments,
    secret_values,
    roles_in_targets,
    records_without_leading_keys,
    permissions_to_invoke,
    released_objects,
    started_executions,
    of_other_applications,
    lost_secrets,
)


def findings(sources: Sources | None = None, rules: Mapping[str, Any] | None = None) -> list[str]:
    """`role: power` for each way to more rights. rules: of cloudsplaining, as `cloudsplaining` answers them."""
    sources = sources or documents.read()
    rules = rules or cloudsplaining(documents.collect(sources))
    every = roles(sources)
    return sorted({*rules["findings"], *(f"{role.name}: {text}" for role in every for text in _of(role, every, rules))})


def _of(role: Role, every: Sequence[Role], rules: Mapping[str, Any]) -> Iterator[str]:
    yield from methods_of_the_table(role, rules["methods"])
    # Of roles that are assumed, `roles_in_targets` says which.
    returning = [action for action in rules["credentials"] if action.lower() != "sts:assumerole"]
    yield from (f"returns credentials: {action}" for action in returning if role.granting(action))
    yield from change_sets_of_others(role, every)
    for rule in RULES:
        yield from rule(role)


def cloudsplaining(every: Iterable[Document]) -> Mapping[str, Any]:
    """Its table of methods, actions that return credentials, and its own findings. Makes the judges' environment."""
    bodies = {document.owner: document.body for document in every if document.kind == "identity"}
    done = subprocess.run(  # noqa: S603 - fixed command
        [str(second_opinion.python()), str(_SCRIPT)],
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        check=True,
        timeout=second_opinion.TIMEOUT_S,
    )
    answer: Mapping[str, Any] = json.loads(done.stdout)
    return answer
