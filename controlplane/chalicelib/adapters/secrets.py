"""Secrets Manager behind `ports.secrets`."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.aws.secrets import SecretInfo, SecretText
from chalicelib.domain.errors import NotFound

from .session import call


class SecretsManagerSecrets:
    """See the Protocol."""

    def find(self, secret: str) -> SecretInfo | None:
        try:
            told = call("secretsmanager", "describe_secret", SecretId=secret)
        except NotFound:
            return None
        stages = {stage: version for version, staged in told.get("VersionIdsToStages", {}).items() for stage in staged}
        return SecretInfo(
            arn=told["ARN"],
            name=told["Name"],
            stages=stages,
            changed_at=told.get("LastChangedDate"),
            kms_key=told.get("KmsKeyId", ""),
            tags={item["Key"]: item["Value"] for item in told.get("Tags", [])},
            doomed=bool(told.get("DeletedDate")),
        )

    def read(self, secret: str, stage: str = "AWSCURRENT") -> SecretText:
        told = call("secretsmanager", "get_secret_value", SecretId=secret, VersionStage=stage)
        return SecretText(told["VersionId"], told.get("SecretString", ""))

    def store(self, name: str, text: str, *, tags: Mapping[str, str], token: str) -> SecretInfo:
        known = self.find(name)
        if known is None:
            call(
                "secretsmanager",
                "create_secret",
                Name=name,
                SecretString=text,
                ClientRequestToken=token,
                Description="Key and settings of the OpenAI proxy (proxyctl)",
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        else:
            if known.doomed:
                call("secretsmanager", "restore_secret", SecretId=name)
            call("secretsmanager", "put_secret_value", SecretId=name, SecretString=text, ClientRequestToken=token)
        stored = self.find(name)
        if stored is None:
            raise NotFound(f"secret {name} was stored, and is not there")
        return stored

    def move_current(self, secret: str, *, to_version: str, from_version: str) -> None:
        call(
            "secretsmanager",
            "update_secret_version_stage",
            SecretId=secret,
            VersionStage="AWSCURRENT",
            MoveToVersionId=to_version,
            RemoveFromVersionId=from_version,
        )

    def delete(self, secret: str, recovery_days: int) -> None:
        window: dict[str, object] = (
            {"RecoveryWindowInDays": recovery_days} if recovery_days else {"ForceDeleteWithoutRecovery": True}
        )
        try:
            call("secretsmanager", "delete_secret", SecretId=secret, **window)
        except NotFound:
            return
