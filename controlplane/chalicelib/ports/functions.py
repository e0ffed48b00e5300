"""Lambda functions, their versions and aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chalicelib.domain.aws.functions import (
    Alias,
    ConcurrencyLimits,
    FunctionConfig,
    FunctionSettings,
    Invocation,
    Permission,
    Version,
)


class Functions(Protocol):
    """A missing function, version or alias raises NotFound."""

    def config(self, function: str, qualifier: str | None = None) -> FunctionConfig: ...

    def versions(self, function: str) -> Sequence[Version]:
        """Published versions, oldest first, without $LATEST."""
        ...

    def aliases(self, function: str) -> Mapping[str, Alias]: ...

    def point(self, function: str, alias: Alias, *, revision: str = "") -> None:
        """Set the alias's version and weights. With `revision`, only if the alias still has that revision; else raises
        Conflict."""
        ...

    def create_alias(self, function: str, alias: Alias) -> None:
        """Nothing happens when it exists."""
        ...

    def permissions(self, function: str, alias: str) -> Sequence[Permission]:
        """What the alias's own policy allows; empty for an alias without one."""
        ...

    def permit(self, function: str, alias: str, permission: Permission) -> None:
        """Nothing happens when a statement of that ID exists."""
        ...

    def update_code(self, function: str, *, bucket: str, key: str) -> None:
        """Replace `$LATEST`'s code; Lambda needs a moment afterwards (`update_status`)."""
        ...

    def update_settings(self, function: str, settings: FunctionSettings) -> None:
        """Replace `$LATEST`'s settings; Lambda needs a moment afterwards (`update_status`)."""
        ...

    def publish(self, function: str, *, code_sha256: str, description: str) -> Version:
        """Publish `$LATEST`. Refused (AwsCallFailed) when its code is not `code_sha256` (base64) any more. Lambda
        answers with the newest version, unchanged, when nothing has changed since."""
        ...

    def delete_version(self, function: str, version: str) -> None:
        """Nothing happens when it is gone."""
        ...

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any]) -> Invocation:
        """Call one version or alias and wait for its answer."""
        ...

    def limits(self) -> ConcurrencyLimits: ...
