"""A function's answer to its self-test: that it starts, finds its settings and its code, and which release it is.

An upgrade asks each candidate version before anybody else does. `{"self_test": "<stem>"}` is the whole event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.codec import encode
from chalicelib.domain.settings import Settings
from chalicelib.engine import registry
from chalicelib.ports import Aws

from .formats.table_format import FORMAT

KEY = "self_test"


@dataclass(frozen=True, slots=True)
class SelfTest:
    """release: of the version that answered. loaded: whether it loaded the code of its phase."""

    function: str
    release: str
    table_format: int
    loaded: bool


class Call(Protocol):
    """A call of a Lambda, as Chalice hands it to middleware."""

    @property
    def event(self) -> Mapping[str, object]:
        """What the function was called with."""
        ...


def answer_or(call: Call, go_on: Callable[[Call], object], aws: Callable[[], Aws]) -> object:
    """The answer to a self-test; that of the function itself to any other event."""
    if KEY not in call.event:
        return go_on(call)
    return encode(answer(str(call.event[KEY]), aws().settings))


def answer(stem: str, settings: Settings) -> SelfTest:
    """Raises whatever keeps the function's code from loading: that fails the test."""
    is_phase = stem in (*registry.PHASES, *registry.STEPS)
    if is_phase:
        registry.load(stem)
    return SelfTest(stem, settings.release, FORMAT, is_phase)


def stem_of(logical_id: str) -> str:
    """`load_test` for `LoadTest`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in logical_id).lstrip("_")
