"""Reads that do not see the last write: what a port would have answered before it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

State = dict[str, Any]


def _state(port: Any) -> State:
    """What a port in memory holds, without its links to other ports."""
    return {name: value for name, value in vars(port).items() if not callable(value) and not hasattr(value, "as_aws")}


class Earlier:
    """Remembers the state of each port before its last write."""

    def __init__(self) -> None:
        self._before: dict[str, State] = {}

    def follow(self, name: str, port: Any, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The call, whatever it is; after a write, the state before it is remembered."""
        before = copy.deepcopy(_state(port))
        try:
            return operation(*args, **kwargs)
        finally:
            if before != _state(port):
                self._before[name] = before

    def read(
        self, name: str, port: Any, operation: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> tuple[Callable[[], Any], bool]:
        """How to get the answer, and whether it is that of before the last write. A write is carried out as it is."""
        before = copy.deepcopy(_state(port))
        fresh = _outcome(operation, *args, **kwargs)
        if name not in self._before or before != _state(port):
            return fresh, False
        former = copy.copy(port)
        vars(former).update(copy.deepcopy(self._before[name]))
        stale = _outcome(getattr(former, operation.__name__), *args, **kwargs)
        return stale, _text(stale) != _text(fresh)


def _outcome(operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[], Any]:
    """The call's answer or error, to be given later."""
    try:
        answer = operation(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - given to the caller as it is
        raised = error

        def fail() -> Any:
            raise raised

        return fail
    return lambda: answer


def _text(outcome: Callable[[], Any]) -> str:
    try:
        return repr(outcome())
    except Exception as error:  # noqa: BLE001 - compared, not handled
        return repr(error)
