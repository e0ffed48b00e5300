"""`/environments/{name}/costs`: what an environment costs at rest, per million requests, and for its rollouts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from chalicelib.costs import at_rest, requests
from chalicelib.costs.bill import Bill, Line, Recorded, merged, total
from chalicelib.costs.ledger import bill, region_of
from chalicelib.costs.prices import AS_OF, PriceList, is_priced, prices_of, remarks
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import NotFound
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.model import Action, Deployment, Environment
from chalicelib.domain.nights import CALLER
from chalicelib.domain.records import HistoryEntry
from chalicelib.domain.times import Clock, stamp
from chalicelib.engine.phase import applied_as
from chalicelib.ports import Aws

from ..answers import Answer, ApiCall
from ..environment_in_path import environment_of
from ..views import read_history
from .responses import EnvironmentCosts, LastRollout, Month, Rollouts

_DAYS = 30
_DIGITS = 6  # of a dollar


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[EnvironmentCosts]:
    """What an environment costs at list price: a month at rest, a million requests, its rollouts.

    Raises NotFound (NotPriced) in a partition whose prices nobody has put into the table.
    """
    call.refuse_query()
    environment, now = environment_of(call, aws), clock()
    config = decode_lenient(Config, environment.live.config if environment.live else {})
    region, today = region_of(config, aws.settings.region), now.date()
    if not is_priced(region):
        raise NotFound(
            remarks(region, today)[0],
            code="NotPriced",
            remedy="The units of each rollout are in its phases (usage); multiply them by your own list.",
        )
    prices = prices_of(region)
    return Answer(
        200,
        EnvironmentCosts(
            environment=environment.name,
            region=prices.region,
            prices_of=f"{AS_OF:%Y-%m}",
            remarks=remarks(region, today),
            at_rest=_at_rest(environment, config, prices, today, aws),
            control_plane=_month(at_rest.control_plane(at_rest.CONTROL_PLANE_STACK, prices)),
            requests=requests.compare(config, applied_as(environment, LoadEvidence), prices),
            rollouts=_rollouts(environment, now, aws),
            last_rollout=_last(environment, today, aws),
        ),
    )


def _at_rest(environment: Environment, config: Config, prices: PriceList, today: date, aws: Aws) -> Month:
    """With nights like the last one, where its ledger is whole; with typical ones where there was none, or where
    someone has revalidated since, whose load is not a night's."""
    checked = _deployment((environment.last_revalidation or {}).get("deployment_id"), aws)
    nightly = checked if checked and checked.caller == CALLER else None
    ledger = _bill_of(nightly, today, aws)
    night = ledger.lines if ledger and ledger.recorded is Recorded.RECORDED else ()
    lines = at_rest.environment(at_rest.ENVIRONMENT_STACK, config, prices, night)
    return _month(lines, nightly.id if nightly and night else "")


def _month(lines: Sequence[Line], nights: str | None = None) -> Month:
    return Month(total(lines), merged(lines), nights)


def _deployment(deployment_id: str | None, aws: Aws) -> Deployment | None:
    """None without one; a deployment's record ends before its environment's does."""
    try:
        return aws.records.deployment(deployment_id) if deployment_id else None
    except NotFound:
        return None


def _bill_of(deployment: Deployment | None, today: date, aws: Aws) -> Bill | None:
    if deployment is None:
        return None
    region = region_of(deployment.config, aws.settings.region)
    return bill(deployment, aws.records.phases(deployment.id), region, today)


def _last(environment: Environment, today: date, aws: Aws) -> LastRollout | None:
    deployment = _deployment(environment.last_deployment, aws)
    ledger = _bill_of(deployment, today, aws)
    if deployment is None or ledger is None:
        return None
    return LastRollout(deployment_id=deployment.id, recorded=ledger.recorded, usd=ledger.usd)


def _rollouts(environment: Environment, now: datetime, aws: Aws) -> Rollouts:
    since = stamp(now - timedelta(days=_DAYS))
    entries = read_history(aws.records.history_since(environment.name, since))
    ran = [entry for entry in entries if entry.action in tuple(Action)]  # not: a secret that was set at once
    priced = [entry for entry in ran if entry.usd is not None]
    usd = round(sum(entry.usd or 0.0 for entry in priced), _DIGITS) if priced else None
    return Rollouts(_DAYS, len(ran), usd, _by_action(priced), len(ran) - len(priced))


def _by_action(entries: Sequence[HistoryEntry]) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    for entry in entries:
        sums[entry.action] += entry.usd or 0.0
    return {action: round(usd, _DIGITS) for action, usd in sorted(sums.items())}
