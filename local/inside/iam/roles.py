"""IAM is eventually consistent: changes made through its API act late, and reads answer with the former state.

Roles that CloudFormation makes act at once: it waits for them before it reports a stack complete.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from local.inside.calls import Call, Refusal, Reply
from local.inside.ledger import Ledger

Handler = Callable[..., Awaitable[Reply]]
_WRITES = ("Put", "Create", "Delete", "Attach", "Detach", "Update", "Tag", "Untag")
_READS = ("GetRole", "ListRolePolicies", "ListAttachedRolePolicies")
_MANY_READS = ("ListRoles",)


def _is_write(call: Call) -> bool:
    return call.service == "iam" and call.action.removeprefix("iam:").startswith(_WRITES)


class LateRoles:
    """Requests are authorised by the policies that a role had `delay_s` ago."""

    def __init__(self, evaluator: Any, account: Callable[[], str], delay_s: float, now: Any = time.time) -> None:
        self._account, self._now = account, now
        self._ledger: Ledger[list[Any]] = Ledger(delay_s)
        self._gather = evaluator._gather_role_policies
        evaluator._gather_role_policies = self.gather

    def before(self, call: Call) -> Refusal | None:
        """Remember the policies that a write replaces."""
        role = call.text("RoleName")
        if _is_write(call) and role:
            self._ledger.record(role, self._gather(role, self._account()), self._now())
        return None

    def gather(self, role: str, account: str) -> list[Any]:
        """The role's parsed policies, as the emulator's function of the same purpose."""
        former = self._ledger.former(role, self._now())
        return list(self._gather(role, account)) if former is None else former[0]


class StaleReads:
    """Reads of a role within `delay_s` of a write get the answers from before it."""

    def __init__(self, handler: Handler, delay_s: float, now: Any = time.time) -> None:
        self._handler, self._now = handler, now
        self._ledger: Ledger[Reply] = Ledger(delay_s)

    async def around(self, call: Call, answer: Callable[[], Awaitable[Reply]]) -> Reply:
        """The reply to `call`; `answer` asks the emulator."""
        role, name = call.text("RoleName"), call.action.removeprefix("iam:")
        if _is_write(call) and role:
            await self._remember(call, role)
        elif name in (*_READS, *_MANY_READS) and (former := self._ledger.former((name, role), self._now())):
            return former[0]
        return await answer()

    async def _remember(self, call: Call, role: str) -> None:
        for name in _READS:
            self._ledger.record((name, role), await self._read(call, name, RoleName=role), self._now())
        for name in _MANY_READS:
            self._ledger.record((name, ""), await self._read(call, name), self._now())

    async def _read(self, call: Call, name: str, **params: str) -> Reply:
        body = urlencode({"Action": name, "Version": "2010-05-08", **params}).encode()
        return await self._handler("POST", "/", dict(call.headers), body, {})
