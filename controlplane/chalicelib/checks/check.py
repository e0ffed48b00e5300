"""What a check is: what is sent, what the upstream is told to do, what must come back. The tables: `checks.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .expectations import Expect

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
HELLO = ({"role": "user", "content": "Say hello in one word."},)
ASK: Mapping[str, Any] = {"model": "$chat_model", "messages": HELLO, "max_completion_tokens": 64}
# Faults go to a model that no other caller names, so that rollouts beside this one keep a healthy upstream.
FAULTY: Mapping[str, Any] = {**ASK, "model": "$fault_model"}


@dataclass(frozen=True, slots=True)
class Call:
    """A plain HTTP request. `body` is JSON; `raw` bytes instead; `pad_to` makes the body at least so many bytes."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    raw: bytes = b""
    pad_to: int = 0
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One fact about the proxy.

    sdk: an operation of `ports.sdk` (the official SDK), or call: plain HTTP. proves: a sentence for people.
    faults: behaviours for the stand-in upstream, without `match`: the runner aims them at this check's own model.
    needs: what must be known and true in `known()` for the check to run; else it says NOT RUN, and why.
    """

    name: str
    proves: str
    expects: tuple[Expect, ...]
    call: Call | None = None
    sdk: str = ""
    faults: tuple[Mapping[str, Any], ...] = ()
    faults_only_if_stand_in: bool = False
    needs: tuple[str, ...] = ()

    @property
    def is_timed(self) -> bool:
        """Whether it says how long something takes: a busy machine may spoil that once."""
        return any(expect.rule == "near" for expect in self.expects)


def error_shape(status: int | tuple[int, ...], kind: str | None = None, code: str | None = None) -> tuple[Expect, ...]:
    """An error as every OpenAI SDK understands it."""
    rule = "is" if isinstance(status, int) else "one_of"
    shape = (
        Expect("status", rule, status),
        Expect("json.error.message", "present"),
        Expect("json.error.type", "is", kind) if kind else Expect("json.error.type", "present"),
    )
    return (*shape, Expect("json.error.code", "is", code)) if code else shape
