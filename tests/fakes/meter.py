"""A meter whose calls use what a test says."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.domain.aws.usage import Usage


@dataclass
class FakeMeter:
    """each: what every call uses. begun: how many calls began."""

    each: Usage = field(default_factory=lambda: Usage(calls=1))
    begun: int = 0

    def begin(self) -> None:
        self.begun += 1

    def read(self) -> Usage:
        return self.each
