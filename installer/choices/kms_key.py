"""A customer's KMS key: whether everything that the control plane keeps can be encrypted with it.

The key is never changed. What its policy lacks is named with the statement to add. Only KMS decides on conditions of a
key policy: a statement for the right service and actions counts, whatever its conditions say.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError
from chalicelib.domain.aws.targets import KMS_KEY

from installer.errors import CannotStart
from installer.target import Target

_LOGS = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey")
_PUBLISH = ("kms:Decrypt", "kms:GenerateDataKey")


def arn_of(aws: Target, key: str) -> str:
    """`key`, checked by its form; "" stays. Raises CannotStart."""
    if not key:
        return ""
    match = KMS_KEY.fullmatch(key)
    if match is None or (match[1], match[2]) != (aws.region, aws.account) or key.split(":")[1] != aws.partition:
        raise CannotStart(
            f"--kms-key is {key[:80]!r}, which is no key of account {aws.account} in {aws.region}; give the ARN of the "
            "key, not of an alias: aws kms describe-key --key-id ALIAS --query KeyMetadata.Arn"
        )
    return key


def check(aws: Target, key: str) -> None:
    """Raises CannotStart for a key that is missing, disabled, of another kind, or closed to a service that needs it."""
    kms = aws.client("kms")
    try:
        about = kms.describe_key(KeyId=key)["KeyMetadata"]
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    except ClientError as error:
        detail = error.response["Error"]
        raise CannotStart(
            f"--kms-key: the key {key} cannot be looked at ({error.operation_name}: {detail.get('Code')}); it must "
            f"exist, and {aws.caller} needs kms:DescribeKey and kms:GetKeyPolicy"
        ) from None
    if about["KeyState"] != "Enabled":
        raise CannotStart(f"--kms-key: the key {key} is {about['KeyState']}; enable it: aws kms enable-key")
    if (about.get("KeyUsage"), about.get("KeySpec", "SYMMETRIC_DEFAULT")) != ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
        raise CannotStart(f"--kms-key: the key {key} is not symmetric; AWS services encrypt with symmetric keys only")
    if missing := list(lacking(policy, aws)):
        raise CannotStart(
            f"--kms-key: the policy of {key} lets in too little; add these statements (aws kms put-key-policy): "
            + json.dumps(missing)
        )


def lacking(policy: Mapping[str, Any], aws: Target) -> Iterator[dict[str, Any]]:
    """The statements that the key's policy needs and does not have."""
    for needed in needs(aws):
        kind, principal = next(iter(needed["Principal"].items()))
        if not all(_allows(policy, kind, principal, action) for action in needed["Action"]):
            yield needed


def needs(aws: Target) -> list[dict[str, Any]]:
    """IAM decides for the roles; CloudWatch Logs, CloudWatch's alarms and EventBridge work in their own name."""
    logs = f"arn:{aws.partition}:logs:{aws.region}:{aws.account}:*"
    return [
        _statement("Iam", {"AWS": f"arn:{aws.partition}:iam::{aws.account}:root"}, ("kms:*",), {}),
        _statement(
            "Logs",
            {"Service": f"logs.{aws.region}.{aws.domain}"},
            _LOGS,
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        ),
        *(
            _statement(name, {"Service": service}, _PUBLISH, {"StringEquals": {"aws:SourceAccount": aws.account}})
            for name, service in (("Alarms", "cloudwatch.amazonaws.com"), ("Events", "events.amazonaws.com"))
        ),
    ]


def _statement(name: str, principal: dict[str, str], actions: Iterable[str], condition: object) -> dict[str, Any]:
    statement = {"Sid": f"Proxyctl{name}", "Effect": "Allow", "Principal": principal, "Action": list(actions)}
    return {**statement, "Resource": "*", **({"Condition": condition} if condition else {})}


def _allows(policy: Mapping[str, Any], kind: str, principal: str, action: str) -> bool:
    return any(
        statement.get("Effect") == "Allow"
        and _names(statement.get("Principal"), kind, principal)
        and any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in _listed(statement.get("Action")))
        for statement in _listed(policy.get("Statement"))
    )


def _names(principals: Any, kind: str, principal: str) -> bool:
    if principals == "*":
        return True
    named = _listed(principals.get(kind)) if isinstance(principals, Mapping) else []
    # An account stands for its root: IAM writes either.
    account = principal.split(":")[4] if kind == "AWS" else ""
    regional = principal.replace(".amazonaws.com.cn", ".amazonaws.com") if kind == "Service" else ""
    return bool({principal, "*", account, regional} & set(map(str, named)) - {""})


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
