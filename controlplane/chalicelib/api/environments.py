"""`/environments`: list them, show one with its history and DORA metrics."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.names import Names
from chalicelib.domain.times import Clock, stamp
from chalicelib.lifecycle.start import unknown_environment
from chalicelib.ports import Aws

from .answers import Answer, ApiCall
from .dora import DAYS, dora
from .responses import EnvironmentDetail, EnvironmentList
from .views import read_history, show_environment, show_with_history

_HISTORY = 20


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[EnvironmentList]:
    """All environments."""
    call.refuse_query()
    return Answer(200, EnvironmentList(tuple(map(show_environment, aws.records.environments()))))


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[EnvironmentDetail]:
    """One environment: its releases, lock, history and DORA metrics."""
    call.refuse_query()
    name = Names(call.path["name"]).environment
    environment = aws.records.environment(name)
    if not environment.is_known:
        raise unknown_environment(name, field="name")
    history = read_history(aws.records.history(name, _HISTORY))
    now = clock()
    recent = read_history(aws.records.history_since(name, stamp(now - timedelta(days=DAYS))))
    return Answer(200, show_with_history(environment, history, dora(recent, now)))
