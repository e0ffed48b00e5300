"""AWS's rules for message attributes, which the emulator does not check. Pure.

Source: SQS developer guide, "Amazon SQS message metadata"; SNS developer guide, "Amazon SNS message attributes".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.inside.calls import Call, Refusal

MOST = 10
_NAME = re.compile(r"[A-Za-z0-9_\-.]{1,256}")
_TYPE = re.compile(r"(String|Number|Binary)(\..{1,249})?|String\.Array")
_FORM = re.compile(
    r"MessageAttributes?\.(?:entry\.)?(\d+)\.(Name|Value\.DataType|Value\.StringValue|Value\.BinaryValue)"
)


def check(call: Call) -> Refusal | None:
    """What AWS answers to a message whose attributes are wrong; None if all are well or it sends none."""
    if call.action not in ("sqs:SendMessage", "sns:Publish", "sqs:SendMessageBatch", "sns:PublishBatch"):
        return None
    for attributes in _sets(call):
        problem = _problem(attributes, call.service)
        if problem:
            return Refusal(400, "InvalidParameterValue", problem)
    return None


def _sets(call: Call) -> Iterator[Mapping[str, Any]]:
    if call.params.get("MessageAttributes"):
        yield call.params["MessageAttributes"]
    for entry in call.params.get("Entries") or []:
        yield entry.get("MessageAttributes") or {}
    if form := _from_form(call.params):
        yield form


def _from_form(params: Mapping[str, Any]) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {}
    for field, value in params.items():
        if match := _FORM.fullmatch(field):
            rows.setdefault(match[1], {})[match[2].removeprefix("Value.")] = value
    return {str(row.get("Name", "")): row for row in rows.values()}


def _problem(attributes: Mapping[str, Any], service: str) -> str:
    if service == "sqs" and len(attributes) > MOST:
        return f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MOST}]."
    for name, attribute in attributes.items():
        if not _is_name(name):
            return f"Invalid attribute name: {name!r}"
        if not _TYPE.fullmatch(str(attribute.get("DataType", ""))):
            return f"The message attribute '{name}' has an invalid message attribute type."
        if not (attribute.get("StringValue") or attribute.get("BinaryValue")):
            return f"Message (user) attribute '{name}' must contain a non-empty value."
    return ""


def _is_name(name: str) -> bool:
    reserved = name.lower().startswith(("aws.", "amazon."))
    return bool(_NAME.fullmatch(name)) and not reserved and not name.startswith(".") and not name.endswith(".")
