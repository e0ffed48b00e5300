"""S3 for a caller without s3:ListBucket, and the list of buckets, which lags behind.

The list of objects does not: S3 is strongly consistent for objects since 2020, so nothing is delayed there.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from local.inside.calls import Call, Refusal, Reply
from local.inside.ledger import Ledger

Handler = Callable[..., Awaitable[Reply]]
_NOT_FOUND = 404


def bucket_and_key(path: str) -> tuple[str, str]:
    """Of a path-style request; "" for what it does not name."""
    bucket, _, key = path.lstrip("/").partition("/")
    return bucket, key


class MissingKeys:
    """`denied(access key, bucket)` says whether the caller may not list; then a missing key is AccessDenied.

    s3:prefix is not part of the request, so that a statement with that condition does not help: AWS's documentation
    leaves open whether it would.
    """

    def __init__(self, denied: Callable[[Call, str], bool]) -> None:
        self._denied = denied

    def after(self, call: Call, reply: Reply) -> Refusal | None:
        """The refusal in place of a 404 of one object."""
        bucket, key = bucket_and_key(call.path)
        reads_object = call.service == "s3" and call.method in ("GET", "HEAD") and key
        if not reads_object or reply[0] != _NOT_FOUND or not self._denied(call, bucket):
            return None
        return Refusal(403, "AccessDenied", "Access Denied")


class StaleBucketList:
    """ListBuckets within `delay_s` of a bucket's creation or deletion gets the list from before it."""

    def __init__(self, handler: Handler, delay_s: float, now: Any = time.time) -> None:
        self._handler, self._now = handler, now
        self._ledger: Ledger[Reply] = Ledger(delay_s)

    async def around(self, call: Call, answer: Callable[[], Awaitable[Reply]]) -> Reply:
        """The reply to `call`; `answer` asks the emulator."""
        bucket, key = bucket_and_key(call.path)
        if bucket and not key and not call.query and call.method in ("PUT", "DELETE"):
            buckets = await self._handler("GET", "/", dict(call.headers), b"", {})
            self._ledger.record("", buckets, self._now())
        elif not bucket and call.method == "GET" and (former := self._ledger.former("", self._now())):
            return former[0]
        return await answer()
