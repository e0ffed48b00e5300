"""Words of summaries and messages."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 resource`, `2 resources`. noun: in the singular, with a plural in -s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
