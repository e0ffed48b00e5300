"""A comparison of candidate and live as a phrase for people."""

from __future__ import annotations

from chalicelib.domain.evidence.comparison import AgainstRecord, Compared, Point

_WHAT = {"total": "answers", "overhead": "overhead", "first_byte": "first byte"}
_VERDICTS = {"WORSE": "fail", "NOT_WORSE": "pass", "UNDECIDED": "pass, not decided yet"}


def phrase(comparison: Compared) -> str:
    """The figures of both sides, how certain the difference is, the rule and the verdict."""
    verdict = f"{_VERDICTS[comparison.verdict]}{_decided(comparison)} ({comparison.more})"
    if comparison.candidate is None or comparison.live is None:
        return f"{comparison.metric} not measured on both sides: {verdict}"
    text = _errors(comparison) if comparison.metric == "errors" else _times(comparison)
    return f"{text}{_certainty(comparison)}: {verdict}"


def phrase_record(row: AgainstRecord) -> str:
    """The share of hits of both versions, what the version before does not exceed, the rule and the verdict."""
    ours, theirs = _share(row.hits, row.count), _share(row.record_hits, row.record_count)
    limit = f"at most {_percent(row.limit)} with {_confidence(row.needed)} % confidence"
    return f"{_what(row)}: {ours}, before {theirs} ({limit}): {_VERDICTS[row.verdict]} ({row.more})"


def _what(row: AgainstRecord) -> str:
    if row.threshold_ms is None:
        return "failures"
    series, _, quantile = row.metric.rpartition("_")
    return (
        f"{_WHAT[series]} above {row.threshold_ms:,.4g} ms (limit {_percent(row.bound or 0)} above live's {quantile})"
    )


def _share(hits: int, count: int) -> str:
    return f"{_percent(hits / count)} of {count:,}" if count else "none of 0"


def _confidence(needed: float) -> str:
    return f"{100 * (1 - 1 / needed):.4g}" if needed else "?"


def _errors(comparison: Compared) -> str:
    total = comparison.worse.total
    ours = f"{_percent(comparison.candidate or 0)} of {total.candidate:,}"
    limit = f", limit {_percent(comparison.bound)} more often" if comparison.bound else ""
    return f"errors {ours} against live's {_percent(comparison.live or 0)} of {total.live:,}{limit}"


def _times(comparison: Compared) -> str:
    series, _, quantile = comparison.metric.rpartition("_")
    ours, theirs = comparison.candidate or 0.0, comparison.live or 0.0
    change = f", {abs(ours / theirs - 1) * 100:.0f} % {'slower' if ours > theirs else 'faster'}" if theirs else ""
    figures = f"{quantile} of {_WHAT[series]} {ours:,.4g} ms against live's {theirs:,.4g} ms{change}"
    least = f" and {comparison.least_ms:g} ms" if comparison.least_ms else ""
    return f"{figures}, limit {_percent(comparison.bound)}{least}"


def _certainty(comparison: Compared) -> str:
    last = comparison.worse.points[-1] if comparison.worse.points else Point()
    low = "any" if last.low is None else f"{last.low:.2g}"
    high = "any" if last.high is None else f"{last.high:.2g}"
    return f" (odds {low} to {high} times live's with 95 % confidence)"


def _decided(comparison: Compared) -> str:
    after = comparison.worse.decided_after
    return "" if after is None else f" after {after:,} requests"


def _percent(share: float) -> str:
    percent = share * 100
    return f"{percent:,.0f} %" if percent >= 10 else f"{percent:.2g} %"
