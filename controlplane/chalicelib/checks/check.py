"""A check as data: what is sent, which faults the upstream gets, what must come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .expectations import Expect

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
HELLO = ({"role": "user", "content": "Say hello in one word."},)
ASK: Mapping[str, object] = {"model": "$chat_model", "messages": HELLO, "max_completion_tokens": 64}
# How an answer without tools may end. `length`: some models think before they speak; `content_filter`: Azure's.
ENDS = ("stop", "length", "content_filter")
# Faults are planted for a model that only one check names, so that other rollouts keep a healthy upstream.
FAULTY: Mapping[str, object] = {**ASK, "model": "$fault_model"}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A plain HTTP request. body: JSON; raw: bytes instead; pad_to: the body is padded to so many bytes."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    raw: bytes = b""
    pad_to: int = 0
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One fact about the proxy.

    proves: a sentence for people. sdk: an operation of `ports.openai_sdk`, or http: a plain request.
    faults: llmock behaviours without `match`; `observe` aims them at this check's own model.
    needs: variables of the target that must be true for the check to run; otherwise it says NOT RUN, and why.
    """

    name: str
    proves: str
    expects: tuple[Expect, ...]
    http: HttpRequest | None = None
    sdk: str = ""
    faults: tuple[Mapping[str, object], ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def is_timed(self) -> bool:
        """Whether it judges how long something takes, which a busy machine may spoil once."""
        return any(expect.rule == "near" for expect in self.expects)


def error_shape(status: int | tuple[int, ...], kind: str | None = None, code: str | None = None) -> tuple[Expect, ...]:
    """Expectations of an error that every OpenAI SDK understands. kind: OpenAI's `type`."""
    rule = "is" if isinstance(status, int) else "one_of"
    shape = (
        Expect("status", rule, status),
        Expect("json.error.message", "present"),
        Expect("json.error.type", "is", kind) if kind else Expect("json.error.type", "present"),
    )
    return (*shape, Expect("json.error.code", "is", code)) if code else shape
