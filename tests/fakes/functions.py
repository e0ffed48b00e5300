"""`ports.functions` in memory: one function, whose versions are snapshots of `$LATEST`."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence

from chalicelib.domain.aws.functions import (
    Alias,
    ConcurrencyLimits,
    FunctionConfig,
    FunctionSettings,
    Permission,
    Version,
)
from chalicelib.domain.errors import AwsCallFailed, Conflict

from .missing import gone


class FakeFunctions:
    """`settling` is how many looks an update stays InProgress, in which another is refused; `refuses` names aliases
    that cannot be moved; a `deaf` one takes every move and makes none."""

    def __init__(self) -> None:
        self.latest: dict[str, FunctionConfig] = {}
        self.published: dict[str, list[tuple[Version, FunctionConfig]]] = {}
        self.pointed: dict[str, dict[str, Alias]] = {}
        self.moves: list[Alias] = []
        self.refuses: set[str] = set()
        self.deaf = False
        self.settling = 0
        self.concurrency = ConcurrencyLimits(total=1_000, unreserved=1_000)
        self.deleted: list[str] = []
        self.failed: dict[str, str] = {}
        self.granted: dict[str, list[Permission]] = {}
        self._busy: dict[str, int] = {}

    def add(self, function: str, config: FunctionConfig, *, live: str, versions: int) -> None:
        """A function with versions 1 to `versions`, both aliases on `live`."""
        self.latest[function] = config
        self.published[function] = [
            (Version(str(number), config.code_sha256, "", config.environment.get("ARTIFACT_DIGEST", "")), config)
            for number in range(1, versions + 1)
        ]
        self.pointed[function] = {name: Alias(name, live) for name in ("live", "candidate")}
        gateway = Permission("gateway", "apigateway.amazonaws.com", "arn:aws:execute-api:eu-central-1:1:api1/*")
        self.granted = {name: [gateway] for name in self.pointed[function]}

    def drop_alias(self, function: str, name: str) -> None:
        """As Lambda deletes an alias: its policy goes with it."""
        self.pointed[function].pop(name)
        self.granted.pop(name, None)

    def config(self, function: str, qualifier: str | None = None) -> FunctionConfig:
        if function not in self.latest:
            raise gone(f"there is no function {function}")
        left = self._busy.get(function, 0)
        self._busy[function] = max(0, left - 1)
        result = self.latest[function]
        if qualifier:
            number = self.pointed[function][qualifier].version if not qualifier.isdecimal() else qualifier
            published = {version.number: config for version, config in self.published[function]}
            if number not in published:
                raise gone(f"there is no version {number} of {function}")
            result = published[number]
        if function in self.failed:
            return dataclasses.replace(result, update_status="Failed", update_reason=self.failed[function])
        return dataclasses.replace(result, update_status="InProgress" if left else "Successful")

    def versions(self, function: str) -> Sequence[Version]:
        return [version for version, _ in self.published.get(function, [])]

    def aliases(self, function: str) -> Mapping[str, Alias]:
        if function not in self.latest:
            raise gone(f"there is no function {function}")
        pointed = self.pointed[function].items()
        return {name: dataclasses.replace(alias, revision=self._revision(name)) for name, alias in pointed}

    def _revision(self, alias: str) -> str:
        return f"{alias}-{sum(move.name == alias for move in self.moves)}"

    def point(self, function: str, alias: Alias, *, revision: str = "") -> None:
        if alias.name in self.refuses:
            raise AwsCallFailed(f"lambda:update_alias: {alias.name} is refused")
        if revision and revision != self._revision(alias.name):
            raise Conflict(f"{alias.name} was moved", code="AliasMoved", remedy="See who else moves aliases.")
        self.moves.append(alias)
        if self.deaf:
            return
        self.pointed[function][alias.name] = alias

    def create_alias(self, function: str, alias: Alias) -> None:
        self.pointed[function].setdefault(alias.name, alias)

    def permissions(self, function: str, alias: str) -> Sequence[Permission]:
        return self.granted.get(alias, ())

    def permit(self, function: str, alias: str, permission: Permission) -> None:
        self.granted.setdefault(alias, []).append(permission)

    def update_code(self, function: str, *, bucket: str, key: str) -> None:
        self._refuse_while_busy(function)
        digest = key.rpartition("/")[2].removesuffix(".zip")
        answer = base64.b64encode(bytes.fromhex(digest)).decode() if len(digest) == 64 else key
        self.latest[function] = dataclasses.replace(self.latest[function], code_sha256=answer)
        self._busy[function] = self.settling

    def update_settings(self, function: str, settings: FunctionSettings) -> None:
        self._refuse_while_busy(function)
        self.latest[function] = dataclasses.replace(
            self.latest[function],
            memory_mb=settings.memory_mb,
            timeout_s=settings.timeout_s,
            environment=dict(settings.environment),
        )
        self._busy[function] = self.settling

    def _refuse_while_busy(self, function: str) -> None:
        if self._busy.get(function):
            raise Conflict(f"an update of {function} is in progress", code="ResourceConflict", remedy="Wait for it.")

    def publish(self, function: str, *, code_sha256: str, description: str) -> Version:
        latest = self.latest[function]
        if latest.code_sha256 != code_sha256:
            raise AwsCallFailed("lambda:publish_version: PreconditionFailedException: CodeSha256 differs")
        if self.published.get(function) and self.published[function][-1][1] == latest:
            return self.published[function][-1][0]  # as Lambda does while neither code nor settings have changed
        numbers = [int(version.number) for version, _ in self.published.get(function, [])]
        artifact = latest.environment.get("ARTIFACT_DIGEST", "")
        version = Version(str(max(numbers, default=0) + 1), latest.code_sha256, description, artifact)
        self.published.setdefault(function, []).append((version, latest))
        return version

    def delete_version(self, function: str, version: str) -> None:
        self.deleted.append(version)
        self.published[function] = [pair for pair in self.published[function] if pair[0].number != version]

    def limits(self) -> ConcurrencyLimits:
        return self.concurrency
