"""`ports.secrets` in memory, with version stages as Secrets Manager keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.aws.secrets import CURRENT, PREVIOUS, SecretInfo, SecretText, SecretVersion
from chalicelib.domain.errors import AccessDenied, Conflict, NotFound

from .missing import gone
from .requests import NOW


@dataclass
class Kept:
    info: SecretInfo
    texts: dict[str, str | bytes] = field(default_factory=dict)
    created: dict[str, datetime] = field(default_factory=dict)  # by version, where it is not the secret's last change


class FakeSecrets:
    """`forbidden`: reading is refused, as to a role without the permission; `hidden`: looking is."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.deleted: list[tuple[str, int]] = []
        self.forbidden = self.hidden = False

    def add(self, name: str, text: str | bytes, *, changed_at: datetime = NOW, **other: object) -> SecretInfo:
        """A new current version, `v1`, `v2`, …; the one before becomes AWSPREVIOUS."""
        arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf"
        before = self.kept.get(name) or Kept(SecretInfo(arn, name, {}))
        version = f"v{len(before.texts) + 1}"
        info = replace(before.info, changed_at=changed_at, **other)  # type: ignore[arg-type]
        self.kept[name] = Kept(info, {**before.texts, version: text})
        self._promote(self.kept[name], version)
        return self.kept[name].info

    def _promote(self, kept: Kept, version: str) -> None:
        stages = dict(kept.info.stages)
        if before := stages.get(CURRENT):
            stages[PREVIOUS] = before
        kept.info = replace(kept.info, stages=stages | {CURRENT: version})

    def _secret_of(self, secret: str) -> Kept:
        for name, kept in self.kept.items():
            if secret in (name, kept.info.arn):
                return kept
        raise gone(f"there is no secret {secret}")

    def find(self, secret: str) -> SecretInfo | None:
        if self.hidden:
            raise AccessDenied("secretsmanager:describe_secret: not authorized")
        try:
            return self._secret_of(secret).info
        except NotFound:
            return None

    def read(self, secret: str, stage: str = CURRENT) -> SecretText:
        if self.forbidden:
            raise AccessDenied("secretsmanager:get_secret_value: not authorized")
        kept = self._secret_of(secret)
        if stage not in kept.info.stages:
            raise gone(f"no version has the label {stage}")
        return self.read_version(secret, kept.info.stages[stage])

    def read_version(self, secret: str, version_id: str) -> SecretText:
        kept = self._secret_of(secret)
        if version_id not in kept.texts:
            raise gone(f"there is no version {version_id}")
        return SecretText(version_id, kept.texts[version_id], kept.created.get(version_id, kept.info.changed_at))

    def versions(self, secret: str) -> Sequence[SecretVersion]:
        info = self._secret_of(secret).info
        labels: dict[str, list[str]] = {}
        for label, version in info.stages.items():
            labels.setdefault(version, []).append(label)
        return [SecretVersion(version, tuple(stages), info.changed_at) for version, stages in labels.items()]

    def create(self, name: str, text: str, *, tags: Mapping[str, str], version_id: str, key: str = "") -> SecretInfo:
        if name in self.kept:
            raise Conflict("changed", code="SecretChanged")
        arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf"
        self.kept[name] = Kept(SecretInfo(arn, name, {CURRENT: version_id}, NOW, tags=tags), {version_id: text})
        return self.kept[name].info

    def add_version(self, secret: str, text: str, *, version_id: str, stage: str) -> None:
        kept = self._secret_of(secret)
        if kept.texts.setdefault(version_id, text) != text:
            raise Conflict("used before", code="IdempotencyKeyReused")
        if stage == CURRENT:
            self._promote(kept, version_id)
        else:
            self.label(secret, stage, version_id)

    def label(self, secret: str, stage: str, version_id: str) -> None:
        kept = self._secret_of(secret)
        if version_id not in kept.texts:
            raise gone(f"there is no version {version_id}")
        kept.info = replace(kept.info, stages={**kept.info.stages, stage: version_id})

    def unlabel(self, secret: str, stage: str) -> None:
        kept = self._secret_of(secret)
        stages = {label: version for label, version in kept.info.stages.items() if label != stage}
        kept.info = replace(kept.info, stages=stages)
        kept.texts = {version: text for version, text in kept.texts.items() if version in stages.values()}

    def move_current(self, secret: str, *, to_version: str, from_version: str) -> None:
        kept = self._secret_of(secret)
        if to_version not in kept.texts:
            raise gone(f"there is no version {to_version}")
        if kept.info.current != from_version:
            raise Conflict("changed", code="SecretChanged")
        self._promote(kept, to_version)

    def restore(self, secret: str) -> None:
        kept = self._secret_of(secret)
        kept.info = replace(kept.info, doomed=False)

    def delete(self, secret: str, recovery_days: int) -> None:
        self.deleted.append((secret, recovery_days))
        try:
            kept = self._secret_of(secret)
        except NotFound:
            return  # another one was faster
        if recovery_days:
            kept.info = replace(kept.info, doomed=True)
        else:
            del self.kept[kept.info.name]
