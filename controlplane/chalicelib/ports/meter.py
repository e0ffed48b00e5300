"""What the current call of this process has used so far."""

from __future__ import annotations

from typing import Protocol

from chalicelib.domain.aws.usage import Usage


class Meter(Protocol):
    """Counts in the process, without any call to AWS."""

    def begin(self) -> None:
        """A call begins: count from zero. The first call of a process includes the process's own start."""

    def read(self) -> Usage:
        """Units since `begin`, with the time until now."""
