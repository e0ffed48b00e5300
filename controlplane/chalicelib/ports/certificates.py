"""Certificates of AWS Certificate Manager."""

from __future__ import annotations

from typing import Protocol

from chalicelib.domain.aws.addresses import Certificate


class Certificates(Protocol):
    def find(self, arn: str) -> Certificate | None:
        """None when there is no such certificate."""
        ...
