"""The table as a whole, for migrations between its formats. Items and writes are in DynamoDB's own JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.aws.table_items import FormatState, Item, Write


class TableFormat(Protocol):
    def read(self) -> FormatState: ...

    def write(self, state: FormatState) -> None: ...

    def page(self, after: str, limit: int) -> tuple[Sequence[Item], str]:
        """Items in the table's own order from after a key, and the key of the last of them; "" at the end."""
        ...

    def change(self, writes: Sequence[Write]) -> None:
        """All of them or none. Writes whose conditions do not hold any more are left out with the others: the item was
        deleted meanwhile."""
        ...
