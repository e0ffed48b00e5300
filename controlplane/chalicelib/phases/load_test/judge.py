"""The end of a load test: combines all shards into one run, stores its figures, and judges its SLOs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.checks.comparison.comparison_words import phrase as phrase_compared
from chalicelib.checks.comparison.side_by_side import WORSE, Sides, compare, settle_s, worse
from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.comparison import Compared
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.engine.phase import Request, Result
from chalicelib.load import curves, plans, shard
from chalicelib.load.histogram import Histogram
from chalicelib.ports import Aws

from .cursor import LoadCursor
from .figures import evidence_of, figures_of
from .slo import UNSENT_LIMIT, SloResult, SloVerdict, judge, passed
from .wording import kinds, phrases

_BINARY = "application/octet-stream"


def conclude(
    request: Request, cursor: LoadCursor, version: str, expected_shards: int, aws: Aws
) -> Result[LoadEvidence]:
    """The phase's result. Raises PhaseFailed: LoadIncomplete, LoadInvalid, SloMissed or CanaryWorse."""
    summary = _combine(request, "shard-", expected_shards, aws)
    live = _live(request, cursor, expected_shards, aws)
    comparisons = _compared(request, summary, live)
    baseline, compared_with = _baseline(request, cursor, aws)
    figures = figures_of(summary, request, cursor)
    results = judge(figures, request.options.slo, baseline, request.seed)
    evidence = evidence_of(summary, results, cursor, request, version, compared_with)
    evidence = replace(
        evidence,
        usd_per_million=figures.usd_per_million,
        comparisons=comparisons,
        curves=curves.key(request.deployment_id),
    )
    drawn = json.dumps(encode(curves.curves_of(summary, live))).encode()
    aws.artifacts.put(evidence.curves, drawn, content_type="application/json")
    _refuse(summary, results, evidence)
    aws.artifacts.put(_baseline_key(request, version), shard.encode_seconds(summary), content_type=_BINARY)
    rate = f"{request.options.load.rps:g} requests a second"
    verdicts = "; ".join([phrases(results), *map(phrase_compared, comparisons)])
    return Result.done(f"Version {version} meets its SLOs at {rate}: {verdicts}", evidence)


def stops(request: Request, cursor: LoadCursor, aws: Aws) -> bool:
    """Whether the candidate is worse than live with confidence, so that no further slice is needed."""
    if cursor.beside is None:
        return False
    expected = cursor.slices_done * request.options.load.workers
    summary = _combine(request, "shard-", expected, aws)
    return bool(worse(_compared(request, summary, _live(request, cursor, expected, aws))))


def _live(request: Request, cursor: LoadCursor, expected_shards: int, aws: Aws) -> shard.Summary | None:
    """The live version's part of the run; None when it was not driven."""
    return None if cursor.beside is None else _combine(request, "live-", expected_shards, aws)


def _compared(request: Request, summary: shard.Summary, live: shard.Summary | None) -> tuple[Compared, ...]:
    """Candidate and live side by side; empty when live was not driven."""
    if live is None:
        return ()
    return compare(Sides(summary, live, settle_s(request.options.load.duration_s)), request.options.slo)


def _combine(request: Request, kind: str, expected_shards: int, aws: Aws) -> shard.Summary:
    prefix = plans.prefix(request.deployment_id)
    keys = [key for key in aws.artifacts.keys(prefix) if key.startswith(prefix + kind)]
    if len(keys) < expected_shards:
        raise PhaseFailed(
            f"{expected_shards - len(keys)} of {expected_shards} shards are missing",
            code="LoadIncomplete",
            remedy="Look at the log of LoadWorker; Lambda's concurrency may be too low for options.load.workers.",
        )
    # One shard at a time: a thousand together would not fit into memory.
    return shard.combine(aws.artifacts.get(key) for key in keys)


def _refuse(summary: shard.Summary, results: Sequence[SloResult], evidence: LoadEvidence) -> None:
    if summary.unsent_share > UNSENT_LIMIT:
        raise PhaseFailed(
            f"INVALID: {summary.unsent} of {summary.due} requests could not be sent in time by the generator",
            code="LoadInvalid",
            remedy="Raise options.load.workers, or lower options.load.rps.",
            evidence=encode(evidence),
        )
    if not passed(results):
        raise _slo_missed(summary, results, evidence)
    if losers := worse(evidence.comparisons):
        raise PhaseFailed(
            f"version {evidence.version} is worse than live: {'; '.join(map(phrase_compared, losers))}",
            code="CanaryWorse",
            remedy="Compare both versions' logs. options.slo.relative sets the bounds, options.load.baseline what to "
            "compare with.",
            evidence=encode(evidence),
        )


def _slo_missed(summary: shard.Summary, results: Sequence[SloResult], evidence: LoadEvidence) -> PhaseFailed:
    """What to raise; a missed error rate also names the kinds of failures, which are what there is to look for."""
    missed = [result for result in results if result.verdict is not SloVerdict.PASSED]
    failures = kinds(summary.errors) if any(result.slo == "error_rate" for result in missed) else ""
    return PhaseFailed(
        f"version {evidence.version} missed its SLOs: {phrases(missed)}" + (failures and f"; failures: {failures}"),
        code="SloMissed",
        remedy="The evidence splits the latency into gateway, proxy and upstream; options.slo sets the limits."
        f"{shared_cause(missed, evidence.comparisons)}",
        evidence=encode(evidence),
    )


def shared_cause(missed: Iterable[SloResult], comparisons: Iterable[Compared]) -> str:
    """What to add to the remedy when live failed as well in the same seconds; "" otherwise.

    missed: the SLOs that did not pass. The bound on errors is absolute, so that both may miss it.
    """
    bound = next((result.bound for result in missed if result.slo == "error_rate"), None)
    errors = next((each for each in comparisons if each.metric == "errors" and each.verdict != WORSE), None)
    if bound is None or errors is None or errors.live is None or errors.live <= bound:
        return ""
    return (
        f" Live failed {errors.live * 100:.2g} % of its requests in the same seconds, so the release is hardly the "
        "cause: look at the upstream and at the account's limits, then deploy again."
    )


def _baseline_key(request: Request, version: str) -> str:
    return f"{request.names.baselines_prefix}{version}"


def _baseline(request: Request, cursor: LoadCursor, aws: Aws) -> tuple[Mapping[int, Histogram] | None, str]:
    """The last good version's run by second, unless live was driven beside the candidate; and what the baseline is.

    None when there is nothing to compare with.
    """
    if cursor.beside is not None:
        return None, cursor.compared_with
    if request.options.load.baseline == "none":
        return None, "nothing: options.load.baseline is none"
    why = f" ({cursor.compared_with})" if cursor.compared_with else ""
    good = request.environment.last_good
    if good is None:
        return None, "nothing: there is no good version yet"
    key = _baseline_key(request, good.version)
    if not aws.artifacts.exists(key):
        return None, f"nothing: version {good.version} has no stored figures{why}"
    return shard.decode_seconds(aws.artifacts.get(key)), f"version {good.version}" + (why and f", by its record{why}")
