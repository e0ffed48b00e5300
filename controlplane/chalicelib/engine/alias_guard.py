"""Aliases and secret labels that only the execution which holds the environment's lock can move: the phases' ports.

Stopping an execution does not stop the Lambda that it waits for. That Lambda goes on, for as long as the SDK retries,
while another execution returns users to the last good version and releases the environment. To refuse such a late
write, `point` reads the alias's revision, then renews the lock, then moves the alias only if its revision is unchanged.
Whoever takes over takes the lock first and moves the aliases afterwards (`roll_back`), so one of the two checks fails.
AWSCURRENT has no revision: it moves only away from the version that the caller names, after the lock was renewed.
"""

from __future__ import annotations

from typing import Any, cast

from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.errors import Conflict, Throttled
from chalicelib.domain.model import Lock
from chalicelib.ports import Aws
from chalicelib.ports.functions import Functions
from chalicelib.ports.secrets import Secrets


def guard_aliases(aws: Aws, environment: str, lock: Lock) -> Aws:
    """The same ports. `functions.point` and `secrets.move_current` raise LockLost once `lock` is no longer the
    environment's lock. When someone else moved the alias elsewhere in between, or the read did not see its last move,
    `functions.point` raises Throttled: the phase decides again, by what is then there. Of a label it is Conflict."""
    return cast(Aws, _Guarded(aws, environment, lock))


class _Guarded:
    def __init__(self, aws: Aws, environment: str, lock: Lock) -> None:
        self._aws = aws
        self._environment = environment
        self._lock = lock

    @property
    def functions(self) -> Functions:
        return cast(Functions, _Functions(self._aws, self._environment, self._lock))

    @property
    def secrets(self) -> Secrets:
        return cast(Secrets, _Secrets(self._aws, self._environment, self._lock))

    def __getattr__(self, port: str) -> Any:
        return getattr(self._aws, port)


class _Functions:
    def __init__(self, aws: Aws, environment: str, lock: Lock) -> None:
        self._aws = aws
        self._environment = environment
        self._lock = lock

    def point(self, function: str, alias: Alias) -> None:
        before = self._aws.functions.aliases(function).get(alias.name)
        self._aws.records.renew_lock(self._environment, self._lock)
        try:
            self._aws.functions.point(function, alias, revision=before.revision if before else "")
        except Conflict as conflict:
            # Step Functions may deliver a task twice, and the other Lambda has just made the same move.
            now = self._aws.functions.aliases(function).get(alias.name)
            if now is None or (now.version, dict(now.weights)) != (alias.version, dict(alias.weights)):
                raise Throttled(conflict.message, code=conflict.code, remedy=conflict.remedy) from conflict

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._aws.functions, operation)


class _Secrets:
    def __init__(self, aws: Aws, environment: str, lock: Lock) -> None:
        self._aws = aws
        self._environment = environment
        self._lock = lock

    def move_current(self, secret: str, *, to_version: str, from_version: str) -> None:
        self._aws.records.renew_lock(self._environment, self._lock)
        self._aws.secrets.move_current(secret, to_version=to_version, from_version=from_version)

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._aws.secrets, operation)
