"""What the Lambda `Upgrade` does: a step of the workflow, or a part of a migration for another version's step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.domain.codec import decode, encode
from chalicelib.domain.times import Clock
from chalicelib.engine import registry
from chalicelib.ports import Aws

from .formats.migrate import MIGRATE, Task, migrate

RunStep = Callable[[str, Mapping[str, object], Aws, Clock], dict[str, object]]


def run(event: Mapping[str, object], aws: Aws, clock: Clock, run_step: RunStep) -> dict[str, object]:
    """`{"migrate": {"to": 2}}` answers the progress of a migration; any other event is a state's, which names its step
    in `phase`. run_step: `engine.runner.run`. Raises BadRequest for a step that does not exist, and what it raises."""
    if MIGRATE in event:
        return encode(migrate(decode(Task, event[MIGRATE]), aws))
    rest = {key: value for key, value in event.items() if key != "phase"}
    return run_step(registry.upgrade_step(str(event.get("phase"))), rest, aws, clock)
