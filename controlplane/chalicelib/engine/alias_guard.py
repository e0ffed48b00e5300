"""Aliases that only the execution which holds the environment can move: what the runner hands to phases.

Whoever stops an execution does not stop the Lambda that it waits for: that one goes on, and may be late by all that the
SDK's retries take. Meanwhile another execution puts users back on the last good version and lets the environment go. So
the alias is looked at, then the lock, and then it is moved only if nobody has touched it since that look; whoever takes
over takes the lock first, and touches the aliases afterwards (`roll_back`).
"""

from __future__ import annotations

from typing import Any, cast

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.model import Lock
from chalicelib.ports import Aws
from chalicelib.ports.functions import Functions


def fenced(aws: Aws, environment: str, hold: Lock) -> Aws:
    """The same ports. `functions.point` raises LockLost once `hold` is not the environment's lock any more."""
    return cast(Aws, _Fenced(aws, environment, hold))


class _Fenced:
    def __init__(self, aws: Aws, environment: str, hold: Lock) -> None:
        self._aws = aws
        self._environment = environment
        self._hold = hold

    @property
    def functions(self) -> Functions:
        return cast(Functions, _Functions(self._aws, self._environment, self._hold))

    def __getattr__(self, port: str) -> Any:
        return getattr(self._aws, port)


class _Functions:
    def __init__(self, aws: Aws, environment: str, hold: Lock) -> None:
        self._aws = aws
        self._environment = environment
        self._hold = hold

    def point(self, function: str, alias: Alias) -> None:
        seen = self._aws.functions.aliases(function).get(alias.name)
        self._aws.records.renew_lock(self._environment, self._hold)
        self._aws.functions.point(function, alias, revision=seen.revision if seen else "")

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._aws.functions, operation)
