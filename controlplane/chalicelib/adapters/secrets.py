"""Secrets Manager behind `ports.secrets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.aws.secrets import CURRENT, SecretInfo, SecretText, SecretVersion
from chalicelib.domain.errors import AwsCallFailed, Conflict, NotFound

from .session import HOME, Session

_REUSED, _REFUSED = "ResourceExistsException", "InvalidParameterException"


class SecretsManagerSecrets:
    """See the Protocol."""

    def __init__(self, session: Session = HOME) -> None:
        self._session = session

    def find(self, secret: str) -> SecretInfo | None:
        try:
            answer = self._session.call("secretsmanager", "describe_secret", SecretId=secret)
        except NotFound:
            return None
        labelled = answer.get("VersionIdsToStages", {})
        return SecretInfo(
            arn=answer["ARN"],
            name=answer["Name"],
            stages={stage: version for version, stages in labelled.items() for stage in stages},
            changed_at=answer.get("LastChangedDate"),
            kms_key=answer.get("KmsKeyId", ""),
            tags={item["Key"]: item["Value"] for item in answer.get("Tags", [])},
            doomed=bool(answer.get("DeletedDate")),
        )

    def read(self, secret: str, stage: str = CURRENT) -> SecretText:
        return _text(self._session.call("secretsmanager", "get_secret_value", SecretId=secret, VersionStage=stage))

    def read_version(self, secret: str, version_id: str) -> SecretText:
        return _text(self._session.call("secretsmanager", "get_secret_value", SecretId=secret, VersionId=version_id))

    def versions(self, secret: str) -> Sequence[SecretVersion]:
        # A secret has at most 100 versions, which is one page.
        answer = self._session.call("secretsmanager", "list_secret_version_ids", SecretId=secret, MaxResults=100)
        versions = [
            SecretVersion(item["VersionId"], tuple(item.get("VersionStages", ())), item.get("CreatedDate"))
            for item in answer["Versions"]
        ]
        return sorted(versions, key=lambda version: str(version.created_at), reverse=True)

    def create(self, name: str, text: str, *, tags: Mapping[str, str], version_id: str, key: str = "") -> SecretInfo:
        encryption = {"KmsKeyId": key} if key else {}
        try:
            self._session.call(
                "secretsmanager",
                "create_secret",
                Name=name,
                SecretString=text,
                ClientRequestToken=version_id,
                Description="Key and settings of the OpenAI proxy (proxyctl)",
                Tags=[{"Key": tag, "Value": value} for tag, value in tags.items()],
                **encryption,
            )
        except AwsCallFailed as error:
            raise (_changed(name) if error.aws_code == _REUSED else error) from error
        info = self.find(name)
        if info is None:
            raise NotFound(f"secret {name} was created, and is not there")
        return info

    def add_version(self, secret: str, text: str, *, version_id: str, stage: str) -> None:
        if self._has(secret, version_id, text):
            return
        try:
            self._session.call(
                "secretsmanager",
                "put_secret_value",
                SecretId=secret,
                SecretString=text,
                ClientRequestToken=version_id,
                VersionStages=[stage],
            )
        except AwsCallFailed as error:
            raise (_reused() if error.aws_code == _REUSED else error) from error

    def _has(self, secret: str, version_id: str, text: str) -> bool:
        """Whether the version is there with this text. Raises Conflict when it has another."""
        try:
            stored = self.read_version(secret, version_id)
        except NotFound:
            return False
        if stored.content != text:
            raise _reused()
        return True

    def label(self, secret: str, stage: str, version_id: str) -> None:
        stages = self._stages_with(secret, version_id)
        holder = stages.get(stage)
        if holder == version_id:
            return
        source = {"RemoveFromVersionId": holder} if holder else {}
        self._session.call(
            "secretsmanager",
            "update_secret_version_stage",
            SecretId=secret,
            VersionStage=stage,
            MoveToVersionId=version_id,
            **source,
        )

    def _stages_with(self, secret: str, version_id: str) -> Mapping[str, str]:
        """The labels of a secret. Raises NotFound when no label keeps the version."""
        info = self.find(secret)
        if info is None or version_id not in info.stages.values():
            raise NotFound(f"secret {secret} has no version {version_id}")
        return info.stages

    def unlabel(self, secret: str, stage: str) -> None:
        info = self.find(secret)
        holder = info.stages.get(stage) if info and not info.doomed else None
        if holder:
            self._session.call(
                "secretsmanager",
                "update_secret_version_stage",
                SecretId=secret,
                VersionStage=stage,
                RemoveFromVersionId=holder,
            )

    def move_current(self, secret: str, *, to_version: str, from_version: str) -> None:
        if self._stages_with(secret, to_version).get(CURRENT) != from_version:
            raise _changed(secret)
        try:
            self._session.call(
                "secretsmanager",
                "update_secret_version_stage",
                SecretId=secret,
                VersionStage=CURRENT,
                MoveToVersionId=to_version,
                RemoveFromVersionId=from_version,
            )
        except AwsCallFailed as error:
            raise (_changed(secret) if error.aws_code == _REFUSED else error) from error

    def restore(self, secret: str) -> None:
        self._session.call("secretsmanager", "restore_secret", SecretId=secret)

    def delete(self, secret: str, recovery_days: int) -> None:
        window: dict[str, object] = (
            {"RecoveryWindowInDays": recovery_days} if recovery_days else {"ForceDeleteWithoutRecovery": True}
        )
        try:
            self._session.call("secretsmanager", "delete_secret", SecretId=secret, **window)
        except NotFound:
            return


def _text(answer: Mapping[str, Any]) -> SecretText:
    text = answer.get("SecretString")
    content = answer.get("SecretBinary", b"") if text is None else text
    return SecretText(answer["VersionId"], content, answer.get("CreatedDate"))


def _changed(secret: str) -> Conflict:
    return Conflict(
        f"the secret {secret} was changed by another request at the same time",
        code="SecretChanged",
        field="secret",
        remedy="Send the request again; it then starts from the new version.",
    )


def _reused() -> Conflict:
    return Conflict(
        "this Idempotency-Key was used with another body",
        code="IdempotencyKeyReused",
        field="Idempotency-Key",
        remedy="Send a new key with a new request.",
    )
