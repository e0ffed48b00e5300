"""`ports.secrets` in memory, with version stages as Secrets Manager keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.aws.secrets import SecretInfo, SecretText
from chalicelib.domain.errors import AccessDenied, NotFound

from .requests import NOW


@dataclass
class Kept:
    info: SecretInfo
    texts: dict[str, str] = field(default_factory=dict)


class FakeSecrets:
    """`forbidden`: reading is refused, as to a role without the permission; `hidden`: looking is."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.deleted: list[tuple[str, int]] = []
        self.forbidden = self.hidden = False

    def add(self, name: str, text: str, *, changed_at: datetime = NOW, **other: object) -> SecretInfo:
        """A new version; the one before becomes AWSPREVIOUS."""
        arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf"
        before = self.kept.get(name) or Kept(SecretInfo(arn, name, {}))
        version = f"v{len(before.texts) + 1}"
        stages = {"AWSCURRENT": version}
        if current := before.info.stages.get("AWSCURRENT"):
            stages["AWSPREVIOUS"] = current
        info = replace(before.info, stages=stages, changed_at=changed_at, **other)  # type: ignore[arg-type]
        self.kept[name] = Kept(info, {**before.texts, version: text})
        return info

    def _one(self, secret: str) -> Kept:
        for name, kept in self.kept.items():
            if secret in (name, kept.info.arn):
                return kept
        raise NotFound(f"there is no secret {secret}")

    def find(self, secret: str) -> SecretInfo | None:
        if self.hidden:
            raise AccessDenied("secretsmanager:describe_secret: not authorized")
        try:
            return self._one(secret).info
        except NotFound:
            return None

    def read(self, secret: str, stage: str = "AWSCURRENT") -> SecretText:
        if self.forbidden:
            raise AccessDenied("secretsmanager:get_secret_value: not authorized")
        kept = self._one(secret)
        version = kept.info.stages[stage]
        return SecretText(version, kept.texts[version])

    def store(self, name: str, text: str, *, tags: Mapping[str, str], token: str) -> SecretInfo:
        return self.add(name, text, tags=tags, doomed=False)

    def delete(self, secret: str, recovery_days: int) -> None:
        self.deleted.append((secret, recovery_days))
        kept = self._one(secret)
        if recovery_days:
            kept.info = replace(kept.info, doomed=True)
        else:
            del self.kept[kept.info.name]
