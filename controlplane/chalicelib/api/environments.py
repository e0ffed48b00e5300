"""`/environments`: list, show one with its history, and put its secret."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from chalicelib.domain.names import Names
from chalicelib.domain.times import Clock, stamp
from chalicelib.lifecycle.start import unknown
from chalicelib.ports import Aws

from .answers import Answer, Call
from .dora import DAYS, dora
from .views import environment_shown

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
