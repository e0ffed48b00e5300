"""A migration of the table by whichever version knows both formats: this one, or the release's own `Upgrade`."""

from __future__ import annotations

import json

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import PhaseFailed
from chalicelib.ports import Aws
from chalicelib.upgrade import look

from . import table_format
from .migrate import MIGRATE, Progress, Task, migrate

FUNCTION = "Upgrade"


def migrate_with(qualifier: str, to: int, aws: Aws) -> Progress:
    """The next part on the way to a format. qualifier: the version or alias of `Upgrade` to call where this version
    does not know the format. Raises PhaseFailed (MigrationFailed) with that version's words."""
    state = aws.table_format.read()
    if table_format.knows(max(to, state.format, state.moving_to)):
        return migrate(Task(to), aws)
    result = aws.functions.invoke(look.functions(aws)[FUNCTION], qualifier, {MIGRATE: {"to": to}})
    if result.failed:
        raise PhaseFailed(
            f"the table could not get format {to}: {result.payload.decode(errors='replace')[:300]}",
            code="MigrationFailed",
            remedy="The log group /proxyctl/controlplane has the cause. A migration goes on where it stopped.",
        )
    return decode_lenient(Progress, json.loads(result.payload))
