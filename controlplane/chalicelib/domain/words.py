"""Words of summaries and messages."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 resource`, `2 resources`, `2 queries`. noun: in the singular, with a plural in -s, or in -ies for -y."""
    if count == 1:
        return f"{count:,} {noun}"
    return f"{count:,} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{count:,} {noun}s"
