"""What outlives the control plane's stack, and its way back into a new one.

A stack that is deleted leaves the resources that its template retains. Their names are taken then, so that a new stack
cannot create them: it imports them first, with a change set of type IMPORT, and is updated to the whole template then.
Source: CloudFormation user guide, "Import AWS resources into a CloudFormation stack".
"""

import json
from dataclasses import dataclass

from botocore.exceptions import ClientError

from installer.errors import CannotStart
from installer.packaging.template import Resource, Template
from installer.target import Target

# The property that identifies a resource in an import, by type (`primaryIdentifier` of the registry's schema).
IDENTIFIERS = {"AWS::DynamoDB::Table": "TableName"}
_OWNER = {"Key": "proxyctl:owner", "Value": "proxyctl"}


@dataclass(frozen=True)
class Import:
    """template: JSON of the resources alone, since an import can make nothing else. resources: as CreateChangeSet
    takes them."""

    template: str
    resources: tuple[dict[str, object], ...]


def of(template: Template) -> dict[str, Resource]:
    """The resources that a deletion of the stack leaves, by logical id."""
    resources = template["Resources"].items()
    return {name: each for name, each in resources if each.get("DeletionPolicy", "").startswith("Retain")}


def existing(aws: Target, template: Template) -> Import | None:
    """What a new stack has to import; None when nothing is left of an earlier one. Raises CannotStart for a resource of
    someone else's."""
    left = {name: each for name, each in of(template).items() if _exists(aws, each)}
    if not left:
        return None
    # Properties refer to parameters and conditions.
    sections = {name: value for name, value in template.items() if name in ("Parameters", "Conditions")}
    body = {"AWSTemplateFormatVersion": "2010-09-09", **sections, "Resources": left}
    return Import(json.dumps(body, sort_keys=True), tuple(_named(name, each) for name, each in sorted(left.items())))


def identifier(resource: Resource) -> dict[str, str]:
    """Property and value. Raises KeyError for a type that cannot be imported yet."""
    name = IDENTIFIERS[resource["Type"]]
    return {name: str(resource["Properties"][name])}  # type: ignore[literal-required]


def _named(logical_id: str, resource: Resource) -> dict[str, object]:
    return {
        "ResourceType": resource["Type"],
        "LogicalResourceId": logical_id,
        "ResourceIdentifier": identifier(resource),
    }


def _exists(aws: Target, resource: Resource) -> bool:
    (name,) = identifier(resource).values()
    dynamodb = aws.client("dynamodb")
    try:
        table = dynamodb.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return False
    if _OWNER not in dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]:
        raise CannotStart(
            f"table {name} exists but lacks the tag proxyctl:owner=proxyctl; "
            "if it is the control plane's, tag it so and run again"
        )
    return True
