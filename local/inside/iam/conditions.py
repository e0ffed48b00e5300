"""Condition keys that AWS evaluates and the emulator leaves out, and the check of roles that a call hands on.

Pure but for `install`, `inherit_tags`, `bind_roles` and `name_roles`.

Sources: Service Authorization Reference of CloudFormation, DynamoDB, IAM and STS; IAM User Guide, "Granting permissions
to pass a role".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Context = dict[str, Any]
# Whose boundary a call names; any other call on a role is judged by the boundary that the role has.
_NAMES_A_BOUNDARY = ("iam:CreateRole", "iam:PutRolePermissionsBoundary")
# Parameter by condition key, where the call has it.
_FORMATION = {"cloudformation:changesetname": "ChangeSetName", "cloudformation:rolearn": "RoleARN"}
PASSED_TO = {
    "cloudformation": ("RoleARN", "cloudformation.amazonaws.com"),
    "lambda": ("Role", "lambda.amazonaws.com"),
}
_EQUALS = re.compile(r"^\s*([#\w.]+)\s*=\s*(:\w+)")


def keys_of(action: str, params: Mapping[str, Any], boundary_of: Callable[[str], str | None]) -> Context:
    """Condition keys of a call, by their names in lower case. boundary_of: the boundary of a role, by its name."""
    service = action.partition(":")[0]
    if service == "cloudformation":
        given = {key: _text(params.get(name)) for key, name in _FORMATION.items()}
        imports = (
            {"cloudformation:importresourcetypes": "given"} if _text(params.get("ChangeSetType")) == "IMPORT" else {}
        )
        return {key: value for key, value in given.items() if value} | imports
    if service == "sts" and params.get("ExternalId"):
        return {"sts:externalid": _text(params["ExternalId"])}
    if service == "iam" and params.get("RoleName"):
        named = _text(params.get("PermissionsBoundary"))
        boundary = named if action in _NAMES_A_BOUNDARY else boundary_of(_text(params["RoleName"]))
        return {"iam:permissionsboundary": boundary} if boundary else {}
    return {}


def leading_keys(body: bytes, partition_key: str = "pk") -> Context:
    """dynamodb:LeadingKeys of a request on a table whose partition key has that name; {} when it names none."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    values = sorted(set(_leading(request, partition_key))) if isinstance(request, dict) else []
    return {"dynamodb:leadingkeys": values} if values else {}


def _leading(request: Mapping[str, Any], name: str) -> Iterator[str]:
    for entry in request.get("TransactItems", ()):
        for operation in entry.values():
            yield from _leading(operation, name)
    batches = [keys for entry in (request.get("RequestItems") or {}).values() for keys in entry.get("Keys", ())]
    for item in (request.get("Key"), request.get("Item"), *batches):
        if isinstance(item, dict) and name in item:
            yield str(next(iter(item[name].values())))
    if match := _EQUALS.match(str(request.get("KeyConditionExpression", ""))):
        value = request.get("ExpressionAttributeValues", {}).get(match[2], {})
        yield from (str(text) for text in value.values())


def passed_role(action: str, params: Mapping[str, Any]) -> tuple[str, Context] | None:
    """The role that a call hands to a service, and the condition keys of iam:PassRole; None without one."""
    parameter, service = PASSED_TO.get(action.partition(":")[0], ("", ""))
    role = _text(params.get(parameter))
    return (role, {"iam:passedtoservice": service}) if role else None


def _text(value: Any) -> str:
    """A parameter of a form or a query string: its values are lists."""
    return str((value[0] if isinstance(value, list) else value) or "")


def install(actions: Any, iam: Any) -> None:
    """Add the keys to MiniStack's module `core.iam_actions`. iam: its module `services.iam`."""
    of_tags, of_dynamodb = actions.request_tag_context, actions.dynamodb_service_context

    def boundary_of(role: str) -> str | None:
        return (iam._roles.get(role) or {}).get("PermissionsBoundary")

    def request_tag_context(service: str, iam_action: str, body: bytes, params: Mapping[str, Any]) -> Context:
        return {**of_tags(service, iam_action, body, params), **keys_of(iam_action, params, boundary_of)}

    actions.request_tag_context = request_tag_context
    actions.dynamodb_service_context = lambda body: {**of_dynamodb(body), **leading_keys(body)}


def api_of(arn: str) -> str:
    """The id of the REST API that a resource belongs to: its tags count for whatever is in it; "" for other ARNs."""
    match = re.match(r"arn:[\w-]+:apigateway:[\w-]*::/restapis/(\w+)(?:/|$)", arn)
    return match[1] if match else ""


def inherit_tags(tagging: Any, gateway: Any) -> None:
    """aws:ResourceTag of a REST API and of what is in it (API Gateway Developer Guide, "Resources that can be tagged").

    tagging, gateway: MiniStack's modules `services.tagging` and `services.apigateway_v1`.
    """
    of_resource = tagging.resource_tags

    def resource_tags(arn: str) -> dict[str, str] | None:
        identifier = api_of(arn)
        api = gateway._rest_apis.get(identifier)
        # Also those that TagResource has set since, which the API's own record lacks.
        set_since = gateway._v1_tags.get(gateway._rest_api_arn(identifier), {}) if api else {}
        return {**(api.get("tags") or {}), **set_since} if api else of_resource(arn)

    tagging.resource_tags = resource_tags


def bind_roles(provisioners: Any, iam: Any) -> None:
    """CloudFormation sets the boundary of the roles that it makes, which MiniStack's leaves out.

    provisioners: its module `services.cloudformation.provisioners`.
    """
    kind = "AWS::IAM::Role"
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, props: Mapping[str, Any], stack: str) -> Any:
        reply = create(logical_id, props, stack)
        iam._roles[reply[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return reply

    def updated(physical_id: str, before: Mapping[str, Any], props: Mapping[str, Any], *other: Any) -> Any:
        reply = update(physical_id, before, props, *other)
        iam._roles[reply[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return reply

    handlers |= {"create": created, "update": updated}


def principal_arn(arn: str) -> str:
    """aws:PrincipalArn: of a role's session the ARN of the role (IAM User Guide, "AWS global condition context keys").

    A session's ARN has no path of the role; the roles of this project have none.
    """
    match = re.fullmatch(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([\w+=,.@-]+)/.+", arn)
    return f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}" if match else arn


def name_roles(evaluator: Any) -> None:
    """MiniStack gives the session's own ARN. evaluator: its module `core.iam_evaluator`."""
    resolve = evaluator._resolve_condition_key

    def resolved(key: str, context: Any) -> Any:
        return principal_arn(context.principal_arn) if key.lower() == "aws:principalarn" else resolve(key, context)

    evaluator._resolve_condition_key = resolved
