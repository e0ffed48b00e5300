"""The control plane's bucket: created before its stack, because the stack's own code lies in it."""

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from chalicelib.domain.times import RECORD_DAYS

from installer.errors import CannotStart, CommandFailed
from installer.target import Target

# What the control plane and its installer write; any other object belongs to somebody else.
PREFIXES = ("controlplane/", "bundles/", "artifacts/", "reports/", "load/", "nightly/")
OWNER_TAG = {"Key": "proxyctl:owner", "Value": "proxyctl"}
_DELETE_LIMIT = 1_000  # keys in one DeleteObjects call
PUBLIC_ACCESS_BLOCK = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
# Figures of a load test and the list of a night are read within hours; a year of the former helps comparisons. A report
# stays as long as the records of its deployment. Bundles and artifacts have no end by time: releases refer to them
# (docs/retention.md).
_LIFECYCLE = {
    "Rules": [
        {
            "ID": "proxyctl-load",
            "Status": "Enabled",
            "Filter": {"Prefix": "load/"},
            "Expiration": {"Days": 365},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "proxyctl-nightly",
            "Status": "Enabled",
            "Filter": {"Prefix": "nightly/"},
            "Expiration": {"Days": 30},
        },
        {
            "ID": "proxyctl-reports",
            "Status": "Enabled",
            "Filter": {"Prefix": "reports/"},
            "Expiration": {"Days": RECORD_DAYS},
        },
        {
            "ID": "proxyctl-upgrades",
            "Status": "Enabled",
            "Filter": {"Prefix": "controlplane/upgrades/"},
            "Expiration": {"Days": RECORD_DAYS},
        },
    ]
}


def _encryption(kms_key: str) -> dict[str, object]:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key} if kms_key else {"SSEAlgorithm": "AES256"}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}


def tls_policy(partition: str, bucket: str) -> dict[str, object]:
    """A bucket policy that refuses requests without TLS; S3 itself refuses TLS older than 1.2."""
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def ensure(target: Target, kms_key: str = "", tags: Sequence[Mapping[str, str]] = ()) -> bool:
    """Create the bucket or check that it is ours: encrypted, without public access, TLS only, with expiry for what is
    read within hours. Returns whether it is new. kms_key: ARN of a key to encrypt with, "" for S3's own. tags: more.

    Raises CannotStart when the name belongs to another account or the bucket lacks our tag.
    """
    s3 = target.client("s3")
    is_new = not _exists(s3, target)
    if is_new:
        _create(s3, target)
    elif not _is_ours(s3, target):
        raise CannotStart(
            f"bucket {target.bucket} exists but lacks the tag proxyctl:owner=proxyctl; "
            "if it is the control plane's, tag it so and run again"
        )
    # Every time, not only for a new bucket: a killed run may have stopped between any two of these calls.
    s3.put_public_access_block(Bucket=target.bucket, PublicAccessBlockConfiguration=PUBLIC_ACCESS_BLOCK)
    s3.put_bucket_encryption(Bucket=target.bucket, ServerSideEncryptionConfiguration=_encryption(kms_key))
    _add_tags(s3, target, tags)
    s3.put_bucket_lifecycle_configuration(Bucket=target.bucket, LifecycleConfiguration=_LIFECYCLE)
    if not target.embedded:  # the embedded cloud has no TLS
        policy = json.dumps(tls_policy(target.partition, target.bucket))
        s3.put_bucket_policy(Bucket=target.bucket, Policy=policy)
    return is_new


def _create(s3: BaseClient, target: Target) -> None:
    # S3 refuses the name of its default region as a constraint.
    constraint = {} if target.region == "us-east-1" else {"LocationConstraint": target.region}
    s3.create_bucket(Bucket=target.bucket, **({"CreateBucketConfiguration": constraint} if constraint else {}))
    _tag(s3, target)


def _tag(s3: BaseClient, target: Target) -> None:
    s3.put_bucket_tagging(Bucket=target.bucket, Tagging={"TagSet": [OWNER_TAG]})


def _add_tags(s3: BaseClient, target: Target, more: Sequence[Mapping[str, str]]) -> None:
    """Beside those that the bucket has: S3 replaces all of them at once."""
    before = _tags(s3, target)
    added = {tag["Key"]: tag["Value"] for tag in [*before, *more]}
    wanted = [{"Key": key, "Value": value} for key, value in added.items()]
    if wanted != before:
        s3.put_bucket_tagging(Bucket=target.bucket, Tagging={"TagSet": wanted})


def _exists(s3: BaseClient, target: Target) -> bool:
    try:
        s3.head_bucket(Bucket=target.bucket, ExpectedBucketOwner=target.account)
    except ClientError as error:
        status = http_status(error)
        if status == 404:
            return False
        if status == 403:
            raise CannotStart(
                f"bucket {target.bucket} belongs to another account, or {target.caller} lacks s3:ListBucket"
            ) from None
        raise
    return True


def http_status(error: ClientError) -> int:
    """Of the answer; 0 without one."""
    # HEAD requests have no body, so their errors carry a status and no code.
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_ours(s3: BaseClient, target: Target) -> bool:
    tags = _tags(s3, target)
    if OWNER_TAG in tags:
        return True
    # A run killed between creating and tagging leaves an empty bucket without tags: finish its work.
    if bool(tags) or any(keys(s3, target)):
        return False
    _tag(s3, target)
    return True


def _tags(s3: BaseClient, target: Target) -> list[dict[str, str]]:
    try:
        tags: list[dict[str, str]] = s3.get_bucket_tagging(Bucket=target.bucket)["TagSet"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return []
    return tags


def keys(s3: BaseClient, target: Target, prefix: str = "") -> Iterator[str]:
    """The keys of the bucket that begin so."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=target.bucket, Prefix=prefix)
    for page in pages:
        for item in page.get("Contents", []):
            yield str(item["Key"])


def upload(target: Target, key: str, content: bytes) -> bool:
    """Store `content` under a key that names it; S3 checks the SHA-256. False when the key exists already.

    An existing object is complete (S3 stores all of a PUT or nothing), and its tree is the one in its key. Its bytes
    may still differ: another machine's zlib compresses otherwise.
    """
    s3 = target.client("s3")
    if has_object(s3, target, key):
        return False
    checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
    s3.put_object(
        Bucket=target.bucket,
        Key=key,
        Body=content,
        ChecksumSHA256=checksum,
        ExpectedBucketOwner=target.account,
        Tagging="proxyctl:owner=proxyctl",
    )
    return True


def has_object(s3: BaseClient, target: Target, key: str) -> bool:
    """Whether there is such an object. Raises ClientError, also for a bucket that is not there."""
    try:
        s3.head_object(Bucket=target.bucket, Key=key, ExpectedBucketOwner=target.account)
    except ClientError as error:
        if http_status(error) == 404:
            return False
        raise
    return True


def remove(target: Target) -> str:
    """Delete our objects and then the bucket; returns what happened. Raises CommandFailed when others' objects are in
    it: those stay, and so does the bucket."""
    s3 = target.client("s3")
    if not _exists(s3, target):
        return "bucket: there was none"
    if not _is_ours(s3, target):
        raise CommandFailed(f"bucket {target.bucket} is not tagged proxyctl:owner=proxyctl; it was left alone")
    removed = sum(delete_prefix(s3, target, prefix) for prefix in PREFIXES)
    foreign = list(itertools.islice(keys(s3, target), 5))
    if foreign:
        raise CommandFailed(
            f"bucket {target.bucket} holds objects that are not the control plane's ({', '.join(foreign)} …); "
            "it was left with them: move them away and run `down` again"
        )
    s3.delete_bucket(Bucket=target.bucket)
    return f"bucket {target.bucket} and {removed} objects: removed"


def delete_prefix(s3: BaseClient, target: Target, prefix: str, but: str = "") -> int:
    """Delete the objects below a prefix; returns how many. but: the key of one that stays."""
    doomed = [key for key in keys(s3, target, prefix) if key != but]
    for start in range(0, len(doomed), _DELETE_LIMIT):
        _delete(s3, target, doomed[start : start + _DELETE_LIMIT])
    return len(doomed)


def _delete(s3: BaseClient, target: Target, doomed: list[str]) -> None:
    objects = {"Objects": [{"Key": key} for key in doomed], "Quiet": True}
    errors = s3.delete_objects(Bucket=target.bucket, Delete=objects).get("Errors")
    if errors:
        raise CommandFailed(f"{errors[0].get('Key')} could not be deleted: {errors[0].get('Message')}")
