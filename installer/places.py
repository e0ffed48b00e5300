"""Whose account and region this is, and which environments are elsewhere."""

from collections.abc import Iterator

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from chalicelib.domain.aws.targets import STACK

from installer.errors import CannotStart
from installer.say import tell
from installer.stack import STACK as CONTROL_PLANE
from installer.stack import TABLE, Deployer
from installer.target import Target


def refuse_target(aws: Target) -> None:
    """Raises CannotStart where a target is installed: environments of both control planes would share their names."""
    installed = Deployer(aws.client("cloudformation"), STACK, progress=tell).find()
    if installed is None:
        return
    home = installed.parameters.get("HomeAccount", "unknown")
    raise CannotStart(
        f"{aws.account}, {aws.region} is a target of the control plane in account {home} (stack {STACK}), and "
        "environments of both would have the same names; choose another region or account (AWS_REGION, AWS_PROFILE), "
        "or remove the target first: python bootstrap.py target --remove"
    )


def refuse_control_plane(aws: Target, home: str) -> None:
    """Raises CannotStart where a control plane is installed. home: the account of the one that wants a target here."""
    if Deployer(aws.client("cloudformation"), CONTROL_PLANE, progress=tell).find() is None:
        return
    own = "this control plane" if home == aws.account else "another control plane"
    raise CannotStart(
        f"{own} is installed in {aws.account}, {aws.region}, and its environments have the names that a target's "
        "would have; choose another region or account (AWS_REGION, AWS_PROFILE)"
    )


def environments_elsewhere(aws: Target) -> list[str]:
    """`eu (account 222222222222, region eu-west-1)` for each environment in a target of the control plane here.

    Read from its table, since the control plane may not answer any more.
    """
    client = aws.client("dynamodb")
    try:
        return [place for name in _names(client) if (place := _place(name, client))]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return []


def _names(client: BaseClient) -> Iterator[str]:
    pages = client.get_paginator("query").paginate(
        TableName=TABLE,
        IndexName="by_all",
        KeyConditionExpression="listed_all = :all",
        ExpressionAttributeValues={":all": {"S": "ENVIRONMENTS"}},
    )
    # An earlier version listed the record itself, beside the item that is listed now.
    yield from sorted({str(item["at"]["S"]) for page in pages for item in page["Items"]})


def _place(name: str, client: BaseClient) -> str:
    """ "" for an environment that is here, or was removed."""
    key = {"pk": {"S": f"ENVIRONMENT#{name}"}, "sk": {"S": "META"}}
    record = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item", {})
    target = record.get("target", {}).get("M")
    if not target or record.get("status", {}).get("S") == "REMOVED":
        return ""
    account = target["role_arn"]["S"].split(":")[4]
    return f"{name} (account {account}, region {target['region']['S']})"
