"""`/environments`: list, show one with its history, and put its secret."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from ..core.dora import DAYS, dora
from ..core.naming import Names
from ..core.view import environment_shown
from ..ports import Aws
from ..runner import stamp
from .answers import Answer, Call, Clock, unknown

_HISTORY = 20


def index(call: Call, aws: Aws, clock: Clock) -> Answer:
    return Answer(200, {"environments": [environment_shown(item) for item in aws.records.environments()]})


def show(call: Call, aws: Aws, clock: Clock) -> Answer:
    name = Names(call.path["name"]).environment
    environment = aws.records.environment(name)
    if not environment.is_known:
        raise unknown(name, field="name")
    told = environment_shown(environment, aws.records.history(name, _HISTORY))
    now = clock()
    counted = aws.records.history_since(name, stamp(now - timedelta(days=DAYS)))
    return Answer(200, told | {"dora": dataclasses.asdict(dora(counted, now))})
