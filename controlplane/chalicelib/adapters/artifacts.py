"""S3 behind `ports.artifacts`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from chalicelib.domain.errors import AwsCallFailed, NotFound

from .session import HOME, Session

_DELETE_LIMIT = 1_000  # keys a DeleteObjects call may name


class S3Artifacts:
    """See the Protocol."""

    def __init__(self, bucket: str, session: Session = HOME) -> None:
        self._session = session
        self._bucket = bucket

    def exists(self, key: str) -> bool:
        try:
            self._session.call("s3", "head_object", Bucket=self._bucket, Key=key)
        except NotFound:
            return False
        return True

    def get(self, key: str) -> bytes:
        body: bytes = self._session.call("s3", "get_object", Bucket=self._bucket, Key=key)["Body"].read()
        return body

    def put(self, key: str, body: bytes, *, content_type: str, tags: Mapping[str, str] | None = None) -> str:
        digest = hashlib.sha256(body)
        # S3 asks for s3:PutObjectTagging as soon as the header is there, even when it is empty.
        tagging = {"Tagging": urlencode(dict(tags))} if tags else {}
        self._session.call(
            "s3",
            "put_object",
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
            **tagging,
        )
        return digest.hexdigest()

    def sha256(self, key: str) -> str:
        answer = self._session.call("s3", "head_object", Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        checksum: str = answer.get("ChecksumSHA256", "")
        # A "-" marks the checksum of a multipart upload, which is one over the parts' checksums.
        if checksum and "-" not in checksum:
            return base64.b64decode(checksum).hex()
        return hashlib.sha256(self.get(key)).hexdigest()

    def keys(self, prefix: str) -> Sequence[str]:
        entries = self._session.pages("s3", "list_objects_v2", "Contents", Bucket=self._bucket, Prefix=prefix)
        return [item["Key"] for item in entries]

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _DELETE_LIMIT):
            some = [{"Key": key} for key in keys[start : start + _DELETE_LIMIT]]
            answer = self._session.call(
                "s3", "delete_objects", Bucket=self._bucket, Delete={"Objects": some, "Quiet": True}
            )
            if failed := answer.get("Errors"):
                first = failed[0]
                raise AwsCallFailed(f"s3:delete_objects: {first['Key']}: {first['Code']}: {first['Message']}")
