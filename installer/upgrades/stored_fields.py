"""Fields of stored configurations that this checkout does not know, and so would ignore.

An upgrade by the control plane itself asks the version that serves, which knows their defaults; `up --direct` has only
what is stored, so that a number counts as set, and null, false and empty values do not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.described.effects import CONFIG_FIELDS

from installer.errors import CannotStart
from installer.stack import TABLE
from installer.target import Target

_ENVIRONMENTS: Mapping[str, Any] = {
    "TableName": TABLE,
    "ProjectionExpression": "pk, live.config, last_good.config",
    "FilterExpression": "sk = :meta AND begins_with(pk, :environment)",
    "ExpressionAttributeValues": {":meta": {"S": "META"}, ":environment": {"S": "ENVIRONMENT#"}},
}
Attribute = Mapping[str, Any]  # in DynamoDB's JSON: {"M": {…}}, {"S": "…"}


def refuse_unknown(aws: Target) -> None:
    """Raises CannotStart for an environment that uses such a field. The table exists."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(**_ENVIRONMENTS)
    for item in (item for page in pages for item in page["Items"]):
        for release in (item[name]["M"] for name in ("live", "last_good") if "M" in item.get(name, {})):
            for path in unknown(release.get("config", {})):
                name = str(item["pk"]["S"]).partition("#")[2]
                raise CannotStart(
                    f"environment {name} uses {path}, which this checkout does not know and would ignore; use a newer "
                    "one, or let the control plane go back itself: bootstrap.py upgrade --to-older"
                )


def unknown(config: Attribute, under: str = "config") -> Iterator[str]:
    """Paths of the fields that are set and not known; of a field that is not known, not what is in it."""
    for name, value in config.get("M", {}).items():
        path = f"{under}.{name}"
        if path not in CONFIG_FIELDS:
            yield from [path] if _is_set(value) else []
        elif any(field.startswith(f"{path}.") for field in CONFIG_FIELDS):
            yield from unknown(value, path)


def _is_set(value: Attribute) -> bool:
    ((kind, content),) = value.items()
    return kind != "NULL" and bool(content)
