"""`ports.stacks` in memory, as far as reading goes; deploy_stack's own tests script the rest."""

from __future__ import annotations

from chalicelib.ports.stacks import Stack


class FakeStacks:
    def __init__(self) -> None:
        self.standing: dict[str, Stack] = {}

    def find(self, stack: str) -> Stack | None:
        return self.standing.get(stack)
