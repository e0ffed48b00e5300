"""Short waits inside the Lambda: what AWS usually finishes within seconds is not worth a round of the state machine.

A pause of the state machine takes whole seconds, three transitions and another start of the Lambda. So the first wait
for a step is polled here, for up to `sum(PAUSES_S)` seconds; after that the state machine waits, with growing pauses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.domain.codec import encode
from chalicelib.domain.times import Clock
from chalicelib.ports import Aws

from .phase import Request, Result, Run, Status, Waits

# Most of what is waited for is there after half a second: looks are dense until then.
PAUSES_S = (0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.55)
Sleep = Callable[[float], object]
Note = Callable[[Result[object]], None]


def poll(run: Run[object], request: Request, aws: Aws, clock: Clock, sleep: Sleep, note: Note) -> Result[object]:
    """Call `run` again after short pauses while it waits for a step for the first time.

    note: records a result whose cursor has moved, before the next call; so a Lambda that dies leaves what it would have
    left if each call had been one of the state machine's.
    """
    result = run(request, aws)
    for pause_s in PAUSES_S:
        if not _waits_briefly(result):
            return result
        cursor = encode(result.cursor)
        if cursor != request.cursor:
            note(result)
        sleep(pause_s)
        # The count is that of the state machine's own waits: a short one does not lengthen its pauses.
        request = replace(request, cursor=cursor, waits=Waits(result.waits.step, 0), now=clock())
        result = run(request, aws)
    return result


def _waits_briefly(result: Result[object]) -> bool:
    return result.status is Status.IN_PROGRESS and result.waits.count == 1
