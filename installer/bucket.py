"""The control plane's bucket: made before its stack, because the stack's own code lies in it."""

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from installer.errors import CannotStart, CommandFailed
from installer.target import Target

# What the control plane and its installer write; anything else in the bucket is somebody's own.
PREFIXES = ("controlplane/", "bundles/", "artifacts/", "reports/", "load/", "nightly/")
OWNER_TAG = {"Key": "proxyctl:owner", "Value": "proxyctl"}


def ensure(target: Target) -> bool:
    """Create the bucket or check that it is ours; encryption, versioning off, no public access. Answers if it was made.

    Raises CannotStart when the name belongs to another account or the bucket is not tagged as ours.
    """
    s3 = target.client("s3")
    made = not _exists(s3, target)
    if made:
        place = {} if target.region == "us-east-1" else {"LocationConstraint": target.region}
        s3.create_bucket(Bucket=target.bucket, **({"CreateBucketConfiguration": place} if place else {}))
        s3.put_bucket_tagging(Bucket=target.bucket, Tagging={"TagSet": [OWNER_TAG]})
    elif not _is_ours(s3, target):
        raise CannotStart(
            f"bucket {target.bucket} exists but lacks the tag proxyctl:owner=proxyctl; "
            "if it is the control plane's, tag it so and run again"
        )
    # Every time, not only at first: a killed run may have stopped between any two of these.
    s3.put_public_access_block(
        Bucket=target.bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_encryption(
        Bucket=target.bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}]
        },
    )
    return made


def _exists(s3: Any, target: Target) -> bool:
    try:
        s3.head_bucket(Bucket=target.bucket, ExpectedBucketOwner=target.account)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            return False
        if status == 403:
            raise CannotStart(
                f"bucket {target.bucket} belongs to another account, or s3:ListBucket is not allowed to {target.caller}"
            ) from None
        raise
    return True


def _is_ours(s3: Any, target: Target) -> bool:
    try:
        tags = s3.get_bucket_tagging(Bucket=target.bucket)["TagSet"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        tags = []
    if OWNER_TAG in tags:
        return True
    # A run killed between creating and tagging leaves an empty bucket without tags: ours to finish.
    if tags or s3.list_objects_v2(Bucket=target.bucket, MaxKeys=1).get("KeyCount"):
        return False
    s3.put_bucket_tagging(Bucket=target.bucket, Tagging={"TagSet": [OWNER_TAG]})
    return True


def upload(target: Target, key: str, content: bytes) -> bool:
    """Store under a content-addressed key, with S3 checking the SHA-256; answers False when it was there."""
    s3 = target.client("s3")
    if _size(s3, target, key) == len(content):
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


def _size(s3: Any, target: Target, key: str) -> int | None:
    try:
        return int(s3.head_object(Bucket=target.bucket, Key=key)["ContentLength"])
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            return None
        raise


def remove(target: Target) -> str:
    """Delete our prefixes and then the bucket; answers what happened. Foreign objects stay, and so does the bucket."""
    s3 = target.client("s3")
    if not _exists(s3, target):
        return "bucket: there was none"
    if not _is_ours(s3, target):
        raise CommandFailed(f"bucket {target.bucket} is not tagged proxyctl:owner=proxyctl; it was left alone")
    removed = 0
    for prefix in PREFIXES:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=target.bucket, Prefix=prefix)
        for page in pages:
            removed += _delete(s3, target, (str(one["Key"]) for one in page.get("Contents", [])))
    left = [str(one["Key"]) for one in s3.list_objects_v2(Bucket=target.bucket, MaxKeys=5).get("Contents", [])]
    if left:
        raise CommandFailed(
            f"bucket {target.bucket} holds objects that are not the control plane's ({', '.join(left)} …); "
            "it was left with them: move them away and run `down` again"
        )
    s3.delete_bucket(Bucket=target.bucket)
    return f"bucket {target.bucket} and {removed} objects: removed"


def _delete(s3: Any, target: Target, keys: Iterable[str]) -> int:
    objects = [{"Key": key} for key in keys]
    if not objects:
        return 0
    done = s3.delete_objects(Bucket=target.bucket, Delete={"Objects": objects, "Quiet": True})
    if done.get("Errors"):
        first = done["Errors"][0]
        raise CommandFailed(f"{first.get('Key')} could not be deleted: {first.get('Message')}")
    return len(objects)
