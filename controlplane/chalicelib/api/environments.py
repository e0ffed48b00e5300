"""`/environments`: list, show one with its history, and put its secret."""

from __future__ import annotations

import dataclasses

from ..core.dora import dora
from ..core.naming import Names
from ..core.view import environment_shown
from ..ports import Aws
from .answers import Answer, Call, Clock, unknown

_HISTORY = 20
_DORA_ENTRIES = 500  # enough for 30 days of a rollout every hour and a half


def index(call: Call, aws: Aws, clock: Clock) -> Answer:
    return Answer(200, {"environments": [environment_shown(item) for item in aws.records.environments()]})


def show(call: Call, aws: Aws, clock: Clock) -> Answer:
    name = Names(call.path["name"]).environment
    environment = aws.records.environment(name)
    if not environment.is_known:
        raise unknown(name, field="name")
    history = aws.records.history(name, _DORA_ENTRIES)
    told = environment_shown(environment, history[:_HISTORY])
    return Answer(200, told | {"dora": dataclasses.asdict(dora(history, clock()))})
