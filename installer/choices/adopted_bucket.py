"""A customer's bucket: whether the control plane can keep its objects there. It is never changed, emptied or deleted.

Our objects are those under our prefixes. A mark says that they are ours, so that an object of somebody else's under one
of these prefixes is never taken for ours.
"""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from installer import bucket
from installer.errors import CannotStart, CommandFailed
from installer.say import tell
from installer.target import Target

MARK = "controlplane/adopted.json"


def check(target: Target, kms_key: str) -> None:
    """Look at region, owner, public access, encryption, versions, and whose objects are there. Raises CannotStart.

    kms_key: ARN of the key that must encrypt it; "" for any encryption.
    """
    s3 = target.client("s3")
    _check_place(s3, target)
    _check_public_access(s3, target)
    _check_encryption(s3, target, kms_key)
    _check_lock(s3, target)
    _check_versions(s3, target)
    if not _is_marked(s3, target):
        _refuse_others_objects(s3, target)


def mark(target: Target) -> bool:
    """Mark our prefixes as ours, before the first object. Returns whether the mark is new."""
    s3 = target.client("s3")
    if _is_marked(s3, target):
        return False
    content = json.dumps({"account": target.account, "region": target.region}).encode()
    s3.put_object(Bucket=target.bucket, Key=MARK, Body=content, ExpectedBucketOwner=target.account)
    return True


def remove_objects(target: Target) -> str:
    """Delete our objects, the mark last; the bucket stays. Returns what happened."""
    s3 = target.client("s3")
    try:
        is_ours = _is_marked(s3, target)
    except ClientError as error:
        if bucket.http_status(error) != 404:
            raise
        return f"bucket {target.bucket}: it does not exist any more"
    if not is_ours:
        return f"bucket {target.bucket}: nothing of ours in it"
    removed = sum(bucket.delete_prefix(s3, target, prefix, but=MARK) for prefix in bucket.PREFIXES)
    s3.delete_object(Bucket=target.bucket, Key=MARK, ExpectedBucketOwner=target.account)
    return f"bucket {target.bucket}: {removed + 1} objects removed; the bucket is yours and stays"


def _is_marked(s3: BaseClient, target: Target) -> bool:
    if not bucket.has_object(s3, target, MARK):
        return False
    stored = json.loads(
        s3.get_object(Bucket=target.bucket, Key=MARK, ExpectedBucketOwner=target.account)["Body"].read()
    )
    if stored != {"account": target.account, "region": target.region}:
        raise CommandFailed(
            f"bucket {target.bucket} is used by the control plane of account {stored.get('account')}, "
            f"{stored.get('region')}; choose another bucket"
        )
    return True


def _check_place(s3: BaseClient, target: Target) -> None:
    try:
        answer = s3.head_bucket(Bucket=target.bucket, ExpectedBucketOwner=target.account)
    except ClientError as error:
        status = bucket.http_status(error)
        cause = {
            301: "is in another region",
            403: f"belongs to another account, or {target.caller} lacks s3:ListBucket",
            404: "does not exist",
        }.get(status)
        if cause is None:
            raise
        raise CannotStart(f"--bucket: bucket {target.bucket} {cause}; {_REMEDY}") from None
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    region = str(answer.get("BucketRegion") or headers.get("x-amz-bucket-region") or target.region)
    if region != target.region:
        raise CannotStart(
            f"--bucket: bucket {target.bucket} is in {region}; Lambda takes code from its own region only: choose a "
            f"bucket in {target.region}"
        )


_REMEDY = "create one in this account and region, or leave the option out: the command makes one"


def _check_public_access(s3: BaseClient, target: Target) -> None:
    answer = _answer(s3.get_public_access_block, target, "NoSuchPublicAccessBlockConfiguration")
    block = answer.get("PublicAccessBlockConfiguration", {})
    if not all(block.get(name) for name in bucket.PUBLIC_ACCESS_BLOCK):
        raise CannotStart(
            f"--bucket: bucket {target.bucket} may be public; block it: aws s3api put-public-access-block --bucket "
            f"{target.bucket} --public-access-block-configuration "
            + ",".join(f"{name}=true" for name in bucket.PUBLIC_ACCESS_BLOCK)
        )


def _check_encryption(s3: BaseClient, target: Target, kms_key: str) -> None:
    answer = _answer(s3.get_bucket_encryption, target, "ServerSideEncryptionConfigurationNotFoundError")
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    if not any(default.get("SSEAlgorithm") for default in defaults):
        raise CannotStart(f"--bucket: bucket {target.bucket} has no encryption by default; {_encrypt(target, kms_key)}")
    keys = [str(default.get("KMSMasterKeyID", "")) for default in defaults]
    if kms_key and kms_key not in keys:
        raise CannotStart(
            f"--bucket: bucket {target.bucket} does not encrypt with --kms-key; {_encrypt(target, kms_key)}"
        )
    if not kms_key and any(default.get("SSEAlgorithm", "").startswith("aws:kms") for default in defaults):
        raise CannotStart(
            f"--bucket: bucket {target.bucket} encrypts with {keys[0] or 'a KMS key'}; name the same key in --kms-key, "
            "so that the control plane's roles may use it"
        )


def _encrypt(target: Target, kms_key: str) -> str:
    rule = f"SSEAlgorithm=aws:kms,KMSMasterKeyID={kms_key}" if kms_key else "SSEAlgorithm=AES256"
    return (
        f"set it: aws s3api put-bucket-encryption --bucket {target.bucket} --server-side-encryption-configuration "
        f"'Rules=[{{ApplyServerSideEncryptionByDefault={{{rule}}},BucketKeyEnabled=true}}]'"
    )


def _check_lock(s3: BaseClient, target: Target) -> None:
    answer = _answer(s3.get_object_lock_configuration, target, "ObjectLockConfigurationNotFoundError")
    if answer.get("ObjectLockConfiguration", {}).get("Rule"):
        raise CannotStart(
            f"--bucket: bucket {target.bucket} retains every object by Object Lock, so that ours could never be "
            "removed; choose one without a default retention"
        )


def _check_versions(s3: BaseClient, target: Target) -> None:
    """A word about what stays in the bucket: its lifecycle is the customer's, and nothing here changes it."""
    rules = _answer(s3.get_bucket_lifecycle_configuration, target, "NoSuchLifecycleConfiguration").get("Rules", [])
    active = [rule for rule in rules if rule.get("Status") == "Enabled"]
    is_versioned = s3.get_bucket_versioning(Bucket=target.bucket).get("Status") == "Enabled"
    if is_versioned and not any("NoncurrentVersionExpiration" in rule for rule in active):
        tell(
            f"bucket {target.bucket} keeps every version of an object for ever: what the control plane deletes stays "
            "there, and costs; a lifecycle rule with NoncurrentVersionExpiration ends it"
        )
    if not any("Expiration" in rule for rule in active):
        tell(
            f"bucket {target.bucket} has no rule that expires objects: load figures, reports and lists of nights stay. "
            "The rules of a bucket of our own are in docs/retention.md"
        )


def _refuse_others_objects(s3: BaseClient, target: Target) -> None:
    for prefix in bucket.PREFIXES:
        if others := list(itertools.islice(bucket.keys(s3, target, prefix), 1)):
            raise CannotStart(
                f"--bucket: bucket {target.bucket} has objects under {prefix} ({others[0]}), which the control "
                f"plane uses for its own and removes with `down`; choose another bucket, or move them"
            )


def _answer(call: Any, target: Target, absent: str) -> Mapping[str, Any]:
    """The answer of a call about the bucket; {} where the bucket has no such setting."""
    try:
        answer: Mapping[str, Any] = call(Bucket=target.bucket, ExpectedBucketOwner=target.account)
    except ClientError as error:
        if error.response["Error"]["Code"] != absent:
            raise
        return {}
    return answer
