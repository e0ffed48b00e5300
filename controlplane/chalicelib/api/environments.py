"""`/environments`: list them, show one with its history and DORA metrics."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

from . import paging
from .answers import Answer, ApiCall
from .dora import DAYS, dora
from .environment_in_path import environment_of
from .past.responses import HistoryPage
from .queries import refuse_unknown
from .responses import EnvironmentDetail, EnvironmentList
from .views import read_history, show_environment, show_with_history

_HISTORY = 20


def index(call: ApiCall, aws: Aws, clock: Clock) -> Answer[EnvironmentList]:
    """All environments by name: `?limit=` (1 to 100), `?cursor=`."""
    refuse_unknown(call.query, paging.PARAMETERS)
    page = aws.records.environment_page(paging.limit_of(call), paging.cursor_of(call))
    return Answer(200, EnvironmentList(tuple(map(show_environment, page.environments)), page.cursor))


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[EnvironmentDetail]:
    """One environment: its releases, lock, history and DORA metrics."""
    call.refuse_query()
    environment = environment_of(call, aws)
    name = environment.name
    history = read_history(aws.records.history(name, _HISTORY))
    now = clock()
    recent = read_history(aws.records.history_since(name, stamp(now - timedelta(days=DAYS))))
    return Answer(200, show_with_history(environment, history, dora(recent, now)))


def history(call: ApiCall, aws: Aws, clock: Clock) -> Answer[HistoryPage]:
    """What happened to an environment, newest first: `?limit=` (1 to 100), `?cursor=`."""
    refuse_unknown(call.query, paging.PARAMETERS)
    name = environment_of(call, aws).name
    entries, following = aws.records.history_page(name, paging.limit_of(call), paging.cursor_of(call))
    return Answer(200, HistoryPage(name, tuple(read_history(entries)), following))
