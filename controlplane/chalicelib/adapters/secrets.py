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
            answer = call("secretsmanager", "describe_secret", SecretId=secret)
        except NotFound:
            return None
        stages = {
            stage: version for version, staged in answer.get("VersionIdsToStages", {}).items() for stage in staged
        }
        return SecretInfo(
            arn=answer["ARN"],
            name=answer["Name"],
            stages=stages,
            changed_at=answer.get("LastChangedDate"),
            kms_key=answer.get("KmsKeyId", ""),
            tags={item["Key"]: item["Value"] for item in answer.get("Tags", [])},
            doomed=bool(answer.get("DeletedDate")),
        )

    def read(self, secret: str, stage: str = "AWSCURRENT") -> SecretText:
        answer = call("secretsmanager", "get_secret_value", SecretId=secret, VersionStage=stage)
        return SecretText(answer["VersionId"], answer.get("SecretString", ""))

    def store(self, name: str, text: str, *, tags: Mapping[str, str], token: str) -> SecretInfo:
        existing = self.find(name)
        if existing is None:
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
            if existing.doomed:
                call("secretsmanager", "restore_secret", SecretId=name)
            call("secretsmanager", "put_secret_value", SecretId=name, SecretString=text, ClientRequestToken=token)
        stored = self.find(name)
        if stored is None:
            raise NotFound(f"secret {name} was stored, and is not there")
        return stored

    def delete(self, secret: str, recovery_days: int) -> None:
        window: dict[str, object] = (
            {"RecoveryWindowInDays": recovery_days} if recovery_days else {"ForceDeleteWithoutRecovery": True}
        )
        try:
            call("secretsmanager", "delete_secret", SecretId=secret, **window)
        except NotFound:
            return
