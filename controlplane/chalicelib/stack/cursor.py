"""Progress of a stack change, stored between two calls of a phase; and which change set is this execution's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from chalicelib.domain.aws.stacks import ChangeSet

from .recovery.parts import Part


@dataclass(frozen=True, slots=True)
class Own:
    """The change set of this execution.

    id: its ARN, "" before it was requested. digest: of template, parameters and tags (prepare.py).
    """

    id: str = ""
    digest: str = ""

    @property
    def description(self) -> str:
        """The description that the change set is created with."""
        return f"digest {self.digest}"

    def is_same(self, change_set: ChangeSet) -> bool:
        """Whether it is this change set, made of what the digest says."""
        return bool(self.id) and change_set.id == self.id and change_set.description == self.description


@dataclass(frozen=True, slots=True)
class StackCursor:
    """step: "" before the change set, `changing` while CloudFormation prepares it, `executing` after its execution.

    creates: whether the change set creates the stack. change_set, digest: see `Own`. since, last: ids of the last event
    before the execution and of the last one that was read. resources: last status by logical id; changes: one line for
    each change. repaired: see StackEvidence. attempts: how often the stack was deleted or its rollback continued;
    attempted_in: the stack's status then. rebuilds: whether the update brings back what was lost (rebuild.py), so that
    the candidate's change is still to come; removes: the parts that it takes out of the stack; rebuilt: how many such
    updates came before this one.
    """

    step: Literal["", "changing", "executing"] = ""
    creates: bool = False
    change_set: str = ""
    digest: str = ""
    stack_id: str = ""
    since: str = ""
    last: str = ""
    resources: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    repaired: tuple[str, ...] | None = None
    attempts: int = 0
    attempted_in: str = ""
    rebuilds: bool = False
    removes: tuple[Part, ...] = ()
    rebuilt: int = 0

    @property
    def own(self) -> Own:
        """The change set that an earlier call requested; of a cursor of an earlier version there is none."""
        return Own(self.change_set, self.digest)


@dataclass(frozen=True, slots=True)
class SettingsCursor(StackCursor):
    """A change of what users feel in the stack (`converge`). differs: (value before, value wanted) by name.

    restored: a line for each resource that had been deleted or changed underneath and was made again.
    """

    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    restored: tuple[str, ...] = ()


def extend(cursor: object, differs: Mapping[str, tuple[str, str]], restored: tuple[str, ...]) -> SettingsCursor:
    """The cursor of the stack's change, with `differs` once it has begun; anything but a StackCursor counts as an empty
    one."""
    stack = cursor if isinstance(cursor, StackCursor) else StackCursor()
    own = {item.name: getattr(stack, item.name) for item in fields(StackCursor)}
    return SettingsCursor(**own, differs=differs if stack.step else {}, restored=restored)
