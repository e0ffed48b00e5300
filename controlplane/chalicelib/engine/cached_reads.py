"""Ports for a look that only reads: each fact is read from AWS once, however many fingerprints depend on it.

The cache lives as long as the look. What someone changes meanwhile is seen by the next look, as it would be if the
reads were repeated within a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from chalicelib.ports import Aws


def cache_reads(aws: Aws) -> Aws:
    """The same ports; a call with the same arguments is answered from memory. Not for a caller that writes."""
    return cast(Aws, _CachedPorts(aws))


class _CachedPorts:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def __getattr__(self, port: str) -> Any:
        value = getattr(self._aws, port)
        # `at` answers ports of another place, which this look reads as they are.
        cached = value if port in ("at", "settings") else _CachedPort(value)
        self.__dict__[port] = cached
        return cached


class _CachedPort:
    def __init__(self, port: Any) -> None:
        self._port = port
        self._answers: dict[object, Any] = {}

    def __getattr__(self, operation: str) -> Any:
        attribute = getattr(self._port, operation)
        return self._cached(operation, attribute) if callable(attribute) else attribute

    def _cached(self, operation: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def read(*args: Any, **named: Any) -> Any:
            key = (operation, repr(args), repr(sorted(named.items())))
            if key not in self._answers:
                answer = call(*args, **named)
                # An iterator can be read once only.
                self._answers[key] = tuple(answer) if isinstance(answer, Iterator) else answer
            return self._answers[key]

        return read
