"""What a drill notes between two calls."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.drills import PARTS
from chalicelib.domain.evidence.drill import PartResult


@dataclass(frozen=True, slots=True)
class DrillCursor:
    """part: the one that runs. done: results of the parts before it. live: the live version before it, "" for none.

    child: the deployment of this part, "" until it has started.
    """

    part: str = PARTS[0]
    done: tuple[PartResult, ...] = ()
    live: str = ""
    child: str = ""
