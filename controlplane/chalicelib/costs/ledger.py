"""What one rollout cost: the units on record of its phases, its transitions and its load, priced.

Not in it: the requests of whoever watches it, the provider's tokens, and the start of the execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.model import Deployment, PhaseRecord, PhaseStatus

from . import requests
from .bill import Basis, Bill, Line, Recorded, line, merged, total
from .prices import AS_OF, PriceList, is_priced, prices_of, remarks
from .transitions import transitions

_GB = 1e9
# After a call was measured, its record and its event are written: two writes in a transaction, and one.
_END_WRITES, _END_GB_S = 5.0, 0.03 * 0.5
_CALL_LOG_BYTES = 600  # Lambda's own lines of a call: START, END, REPORT
_WORKER_GB, _WORKER_START_S = 1.0, 5.0


def region_of(config: Config, home: str) -> str:
    """The region whose prices count: that of the environment's target, else the control plane's own (`home`)."""
    return config.target.region if config.target else home


def bill(deployment: Deployment, records: Sequence[PhaseRecord], region: str, today: date) -> Bill:
    """Of a deployment, so far. records: of its phases; region: where it runs; today: to see how old the prices are."""
    prices, remarked = prices_of(region), remarks(region, today)
    month = f"{AS_OF:%Y-%m}"
    if not is_priced(region):
        return Bill(Recorded.UNPRICED, region=region, remarks=remarked)
    called = [record for record in records if record.polls]
    measured = [record for record in called if record.usage]
    if not measured:
        return Bill(region=prices.region, prices_of=month, remarks=remarked)
    missing = sum(map(_missing, called))
    lines = merged(_lines(deployment, called, missing, prices))
    memory = deployment.config.memory_mb
    return Bill(
        Recorded.RECORDED if all(map(_is_whole, called)) else Recorded.PARTLY,
        total(lines),
        prices.region,
        month,
        lines,
        {each.name: total(units(each.usage, memory, prices)) for each in measured if each.usage},
        remarked,
    )


def _lines(deployment: Deployment, called: Sequence[PhaseRecord], missing: int, prices: PriceList) -> Iterator[Line]:
    load = _load(called)
    usage = used(called)
    workers = load.workers if load else 1
    yield line("state machine", transitions(called, workers), prices.transition, Basis.DERIVED)
    yield from units(usage, deployment.config.memory_mb, prices)
    yield from _around(usage, missing, prices)
    if load:
        yield from _of_load(load, deployment, prices)


def _is_whole(record: PhaseRecord) -> bool:
    """Whether its calls have left their units; the first one, while it runs, has none to leave."""
    return bool(record.usage) or (record.status is PhaseStatus.RUNNING and record.polls == 1)


def _missing(record: PhaseRecord) -> int:
    """Calls that left no units. The one that runs now has not failed to."""
    return max(0, record.polls - (record.usage.calls if record.usage else 0) - (record.status is PhaseStatus.RUNNING))


def used(records: Sequence[PhaseRecord]) -> Usage:
    """The measured units of all phases."""
    together = Usage()
    for record in records:
        together = together.plus(record.usage or Usage())
    return together


def units(usage: Usage, memory_mb: int, prices: PriceList) -> Iterator[Line]:
    """Measured units, priced. memory_mb: of the proxy. Its time is the one that its callers saw, which is a little
    longer than what is billed."""
    rows = (
        ("Lambdas", usage.gb_s, prices.lambda_gb_s),
        ("calls of Lambdas", usage.calls, prices.lambda_call),
        ("records, written", usage.write_units, prices.write_unit),
        ("records, read", usage.read_units, prices.read_unit),
        ("artifacts and documents, written", usage.s3_writes, prices.s3_write),
        ("artifacts and documents, read", usage.s3_reads, prices.s3_read),
        ("artifacts and documents, the first month", usage.s3_bytes / _GB, prices.s3_stored),
        ("secret, calls", usage.secret_calls, prices.secret_call),
        ("metrics, read", usage.metrics_read, prices.metric_read),
        ("alarms and dashboard, calls", usage.cloudwatch_calls, prices.cloudwatch_call),
        ("notifications and events", usage.messages, prices.message),
        ("checks through API Gateway", usage.proxy_calls, prices.gateway_call),
        ("checks: calls of the proxy", usage.proxy_calls + usage.proxy_invokes, prices.lambda_call),
        ("checks: time of the proxy", usage.proxy_s * memory_mb / 1_024, prices.lambda_gb_s),
    )
    for what, amount, price in rows:
        yield line(what, amount, price, Basis.MEASURED)


def _around(usage: Usage, missing: int, prices: PriceList) -> Iterator[Line]:
    """What a call cannot measure of itself, and calls that died or were refused before they could record theirs."""
    calls = usage.calls + missing
    typical_gb_s = usage.gb_s / max(1, usage.calls)
    log_bytes = calls * _CALL_LOG_BYTES + (usage.proxy_calls + usage.proxy_invokes) * requests.LOG_BYTES
    yield line("records of each call's end", calls * _END_WRITES, prices.write_unit)
    yield line("Lambdas at each call's end", calls * _END_GB_S, prices.lambda_gb_s)
    yield line("calls without a record: Lambdas", missing * typical_gb_s, prices.lambda_gb_s)
    yield line("calls without a record", missing, prices.lambda_call)
    yield line("logs", log_bytes / _GB, prices.log_ingested)


def _load(called: Sequence[PhaseRecord]) -> LoadEvidence | None:
    """The load test of this deployment; None where it had none. A skipped one shows an earlier deployment's."""
    ran = [each for each in called if each.name == LoadEvidence.PHASE and each.status is not PhaseStatus.SKIPPED]
    evidence = decode_lenient(LoadEvidence, dict(ran[0].evidence)) if ran else None
    return evidence if evidence and evidence.sent else None


def _of_load(load: LoadEvidence, deployment: Deployment, prices: PriceList) -> Iterator[Line]:
    """The load's requests are on record; the time of each is taken for the median."""
    sides = 2 if load.comparisons else 1
    sent = load.sent * sides
    seconds = sent * (load.service_ms.p50 or 0.0) / 1_000
    yield line("load through API Gateway", sent, prices.gateway_call, Basis.DERIVED)
    yield line("load: calls of the proxy", sent, prices.lambda_call, Basis.DERIVED)
    yield line("load: time of the proxy", seconds * deployment.config.memory_mb / 1_024, prices.lambda_gb_s)
    yield line("load: logs", sent * requests.LOG_BYTES / _GB, prices.log_ingested)
    if load.workers > 1:
        worker_s = deployment.options.load.duration_s + _WORKER_START_S
        yield line("load: workers", load.workers * worker_s * _WORKER_GB, prices.lambda_gb_s)
        yield line("load: calls of workers", load.workers, prices.lambda_call, Basis.DERIVED)
        yield line("load: shards of workers", load.workers * sides, prices.s3_write, Basis.DERIVED)
