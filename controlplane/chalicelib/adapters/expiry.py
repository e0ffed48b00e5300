"""How long records stay: DynamoDB's time to live deletes an item after its attribute `expires` (epoch seconds).

What an environment needs in order to run, roll back and be rolled is in its own record, which has no end while the
environment lives. docs/retention.md lists all that grows, and what ends it.
"""

from __future__ import annotations

from chalicelib.domain.times import RECORD_DAYS

from . import items

_DAY_S = 86_400


def after(at: str, days: int = RECORD_DAYS) -> dict[str, int]:
    """The attribute of an item that is to last for `days` from this time (ISO 8601).

    {} for a text that is no time: the item stays, since a record that another version has begun must not end a rollout.
    """
    try:
        return {"expires": items.epoch(at) + days * _DAY_S}
    except ValueError:
        return {}
