"""Evidence of clean_up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Leftover:
    """A resource that is left. found_by: `name` or `tag`; command: the AWS CLI command that removes it."""

    kind: str = ""
    name: str = ""
    found_by: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class CleanUpEvidence:
    """The removed resources. removed: count by kind.

    After a deployment: orphans, unexpected resources with the environment's name or tag; known, the number of expected
    ones. After action `cleanup`: secret, what happened to it; left, resources that remain; looked_for, by which ways.
    still_listed: ARNs that the search by tag lists although the search by name shows that they are gone.
    foreign: objects that the product did not make and that stopped the removal.
    """

    PHASE: ClassVar[str] = "clean_up"

    removed: Mapping[str, int] = field(default_factory=dict)
    orphans: tuple[Leftover, ...] | None = None
    known: int | None = None
    secret: str | None = None
    left: tuple[Leftover, ...] | None = None
    looked_for: tuple[str, ...] | None = None
    foreign: tuple[str, ...] | None = None
    still_listed: tuple[str, ...] | None = None
