"""The times of a version as a record, and how many answers of the next version are longer. Pure."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.evidence.comparison import AgainstRecord
from chalicelib.domain.options import Slo
from chalicelib.load.histogram import Histogram, add, decode
from chalicelib.load.windows import above, longer
from chalicelib.release.against_record import ERRORS_ALPHA, TIMES_ALPHA, compare

from .side_by_side import NOT_WORSE, QUANTILES, UNDECIDED, WORSE, Bound, Times, bounds

_US_PER_MS = 1_000
_ENOUGH = 200  # requests; fewer of the new version cannot show much


@dataclass(frozen=True, slots=True)
class Tally:
    """hits: among `count` requests of the new version so far; of times, answers longer than the record's threshold."""

    metric: str = ""
    hits: int = 0
    count: int = 0


def extended(record: Mapping[str, str], times: Times) -> dict[str, str]:
    """The record with more times. record: base64 of encoded histograms, by series."""
    merged = {name: add([_of(record, name), *by_second.values()]) for name, by_second in times.items()}
    return {**record, **{name: b64encode(histogram.encode()).decode() for name, histogram in merged.items()}}


def _of(record: Mapping[str, str], name: str) -> Histogram:
    return decode(b64decode(record[name])) if name in record else Histogram()


def tallied(tallies: Iterable[Tally], record: Mapping[str, str], times: Times, slo: Slo) -> tuple[Tally, ...]:
    """A tally for each metric of the record that `slo.relative` bounds, with the new version's times counted."""
    earlier = {tally.metric: tally for tally in tallies}
    results = []
    for metric, threshold in _thresholds(record, slo).items():
        new = add([Histogram(), *times.get(metric.rpartition("_")[0], {}).values()])
        before = earlier.get(metric, Tally(metric))
        results.append(Tally(metric, before.hits + above(new, threshold.us), before.count + new.total))
    return tuple(results)


@dataclass(frozen=True, slots=True)
class _Threshold:
    """us: the record's quantile, longer by the bound; hits: answers of the record that are longer, of `count`."""

    us: float
    hits: int
    count: int
    bound: float


def _thresholds(record: Mapping[str, str], slo: Slo) -> dict[str, _Threshold]:
    wanted = {name: bound for name, bound in bounds(slo).items() if bound is not None and name in record}
    return {
        f"{series}_{name}": _threshold(_of(record, series), share, bound)
        for series, bound in wanted.items()
        for name, share in QUANTILES.items()
    }


def _threshold(histogram: Histogram, share: float, bound: Bound) -> _Threshold:
    us = longer(histogram.percentile(share) or 0.0, bound.slower, bound.least_ms * _US_PER_MS)
    return _Threshold(us, above(histogram, us), histogram.total, bound.slower)


def errors_row(tally: Tally, record_hits: int, record_count: int) -> AgainstRecord:
    """The new version's failures against the record's."""
    return _row(tally, record_hits, record_count, ERRORS_ALPHA, "failures")


def times_rows(tallies: Iterable[Tally], record: Mapping[str, str], slo: Slo) -> list[AgainstRecord]:
    """The new version's times against the record's, for the tallies of `tallied`."""
    thresholds = _thresholds(record, slo)
    return [
        _row(tally, threshold.hits, threshold.count, TIMES_ALPHA, "slow answers", threshold)
        for tally in tallies
        if (threshold := thresholds.get(tally.metric)) is not None
    ]


def _row(
    tally: Tally, record_hits: int, record_count: int, alpha: float, what: str, threshold: _Threshold | None = None
) -> AgainstRecord:
    verdict = compare(tally.hits, tally.count, record_hits, record_count, alpha)
    change = f"{verdict.margin} fewer" if verdict.is_worse else f"{verdict.margin} more"
    effect = "have let it pass" if verdict.is_worse else "have stopped it"
    return AgainstRecord(
        metric=tally.metric,
        verdict=WORSE if verdict.is_worse else NOT_WORSE if tally.count >= _ENOUGH else UNDECIDED,
        hits=tally.hits,
        count=tally.count,
        record_hits=record_hits,
        record_count=record_count,
        limit=float(f"{verdict.limit:.4g}"),
        e_value=float(f"{verdict.evidence:.4g}"),
        needed=verdict.needed,
        bound=None if threshold is None else threshold.bound,
        threshold_ms=None if threshold is None else float(f"{threshold.us / _US_PER_MS:.4g}"),
        more=f"{change} {what} would {effect}",
    )
