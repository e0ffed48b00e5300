"""The sections of the report, each "" when there is nothing to say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from chalicelib.checks.comparison.comparison_words import phrase
from chalicelib.costs.bill import Bill, Recorded
from chalicelib.domain.evidence.checks import CheckRow, EndpointsEvidence, ErrorsEvidence
from chalicelib.domain.evidence.comparison import Compared
from chalicelib.domain.evidence.drift import DRIFT, DriftEvidence, DriftFinding
from chalicelib.domain.evidence.load import LoadEvidence, Percentiles, SloRow
from chalicelib.domain.evidence.release import BakeEvidence, ShiftEvidence
from chalicelib.domain.model import FinishedRun, PhaseRecord
from chalicelib.engine.phase import applied_as
from chalicelib.load.curves import Curves

from . import load_charts, run_charts
from .changes import changes, evidence_of
from .markup import NOTHING, Content, Markup, badge, figure, figures, join, section, table, tag
from .slo_words import amount, between

_CHECKED = (EndpointsEvidence, ErrorsEvidence)
_SECOND_TITLE = "Requests over time"


def changed(run: FinishedRun) -> Markup:
    """What differs from the last good release."""
    good = run.environment.last_good
    against = (
        f"Against version {good.version}, good since {good.at[:19]}Z." if good else "There was no good release yet."
    )
    rows = [(tag("code", what), _value(before), _value(now)) for what, before, now in changes(run)]
    shown = table(("what", "before", "now"), rows) or tag("p", "Nothing differs.")
    return section("What changed", tag("p", against, class_="dim"), shown)


def _value(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def timeline(phases: Sequence[PhaseRecord]) -> Markup:
    """When each phase ran, what came of it, and its evidence."""
    rows = [_phase(phase) for phase in phases]
    shown = table(("phase", "status", "took", "summary"), rows, numbers=(2,))
    return section("Timeline", figure("Seconds since the first phase began", run_charts.timeline(phases)), shown)


def _phase(phase: PhaseRecord) -> tuple[Content, ...]:
    name = f"{phase.number}. {phase.name}" if phase.number else phase.name
    words = [tag("p", phase.summary)] if phase.summary else []
    return tag("code", name), badge(phase.status.value), run_charts.took(phase), [*words, _evidence(phase.evidence)]


def _evidence(evidence: Mapping[str, object]) -> Markup:
    if not evidence:
        return NOTHING
    text = json.dumps(evidence, indent=1, ensure_ascii=False, default=str)
    return tag("details", tag("summary", "evidence"), tag("pre", text, tabindex="0"))


def service_levels(load: LoadEvidence) -> Markup:
    """Each SLO with its bound, figure and interval."""
    rows = [_slo(row) for row in load.slos]
    return section("Service levels", table(("SLO", "verdict", "bound", "figure", "95 % interval"), rows, (2, 3)))


def _slo(row: SloRow) -> tuple[Content, ...]:
    shown = [between(row.slo, row.interval), tag("p", row.why, class_="dim") if row.why else NOTHING]
    return tag("code", row.slo), badge(row.verdict), amount(row.slo, row.bound), amount(row.slo, row.figure), shown


def latency(run: FinishedRun, load: LoadEvidence, curves: Curves | None) -> Markup:
    """Distribution and course of latency and errors, and how the time is split."""
    drawn = NOTHING if curves is None else _latency_charts(run, curves)
    parts = {
        "from due to last byte": load.response_ms,
        "from sent to last byte": load.service_ms,
        "first byte": load.first_byte_ms,
        "without the upstream": load.own_ms,
        **load.split_ms,
    }
    rows = [(name, *_percentiles(each)) for name, each in parts.items() if each.p50 is not None]
    shown = table(("ms", "p50", "p90", "p99", "p99.9", "max"), rows, numbers=(1, 2, 3, 4, 5))
    return section("Latency and errors under load", _counts(load), drawn, shown)


def _latency_charts(run: FinishedRun, curves: Curves) -> Markup:
    every = f"each bar is {curves.window_s} s" if curves.window_s > 1 else "second by second, errors on top"
    live = figure("Live: requests over time", load_charts.requests(curves.live, curves.window_s)) if curves.live else ""
    return figures(
        figure("Percentiles", load_charts.percentiles(curves, run.deployment.options.slo.p99_ms)),
        figure("Distribution", load_charts.histogram(curves), "logarithmic"),
        figure(_SECOND_TITLE, load_charts.requests(curves.candidate, curves.window_s), every),
        figure("Latency over time", load_charts.latency(curves)),
        Markup(live),
    )


def _percentiles(each: Percentiles) -> Iterator[str]:
    for value in (each.p50, each.p90, each.p99, each.p999, each.max):
        yield "–" if value is None else f"{value:,.1f}"


def _counts(load: LoadEvidence) -> Markup:
    if not load.due:
        return NOTHING
    errors = ", ".join(f"{count} {kind}" for kind, count in sorted(load.errors.items())) or "no errors"
    text = (
        f"{load.due:,} requests due, {load.good:,} good answers ({load.rps:g} a second), {errors}; {load.unsent} unsent"
    )
    compared = f". Compared with {load.compared_with}" if load.compared_with else ""
    scaled = f". {load.scaled_down}" if load.scaled_down else ""
    return tag("p", f"Version {load.version}: {text}{compared}{scaled}.")


def beside(load: LoadEvidence, shift: ShiftEvidence) -> Markup:
    """Candidate and live of the latest phase that compared them: figures, verdicts, and each sequential test."""
    compared = shift.comparisons or load.comparisons
    rows = [
        (
            tag("code", each.metric),
            badge(each.verdict),
            _side(each, each.candidate),
            _side(each, each.live),
            phrase(each),
        )
        for each in compared
    ]
    drawn = [figure(each.metric, run_charts.sequence(each), _decision(each)) for each in compared]
    shown = table(("metric", "verdict", "candidate", "live", "in words"), rows, numbers=(2, 3))
    return section("Candidate beside live", shown, figures(*drawn))


def _side(each: Compared, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 100:.3g} %" if each.unit == "share" else f"{value:,.4g} ms"


def _decision(each: Compared) -> str:
    after = each.worse.decided_after
    return f"decided after {after:,} requests" if after is not None else "the band is what odds are still plausible"


def traffic(run: FinishedRun, shift: ShiftEvidence) -> Markup:
    """How users moved, step by step, and what the bake saw."""
    rows = [
        (each.at[11:19] or "–", f"{each.percent} %", each.alarms, badge(each.against_live), _split(each.counts))
        for each in shift.judgements
    ]
    shown = table(("at", "share", "alarms", "against live", "failed of calls"), rows, numbers=(1,))
    bake = evidence_of(run, BakeEvidence)
    said = next((phase.summary for phase in run.phases if phase.name == BakeEvidence.PHASE), "")
    alarms = table(("alarm", "state at the end"), sorted((bake.alarms if bake else {}).items()))
    words = tag("p", f"Bake: {said}.") if said else NOTHING
    return section(
        "Shift and bake", figure("Users over time", run_charts.traffic(run.phases, shift)), shown, words, alarms
    )


def _split(counts: Mapping[str, int] | None) -> str:
    if not counts:
        return "–"
    sides = (
        (side, counts.get(f"{side}errors", 0), counts.get(f"{side}invocations", 0)) for side in ("candidate", "live")
    )
    return ", ".join(f"{side} {errors} of {calls}" for side, errors, calls in sides)


def starts_and_sizes(run: FinishedRun, load: LoadEvidence) -> Markup:
    """Cold starts and the comparison of memory sizes."""
    starts = figure("Cold starts", load_charts.cold_starts(load, run.deployment.options.slo.cold_start_ms))
    if load.tuning is None:
        return section("Cold starts", figures(starts))
    cheapest, fastest = load.tuning.cheapest, load.tuning.fastest
    advice = f"cheapest within the SLOs: {f'{cheapest} MB' if cheapest else 'none'}; fastest: {fastest} MB"
    rows = [
        (f"{size.memory_mb} MB", f"{size.median_ms:,.4g}", f"{size.slowest_ms:,.4g}", f"{size.usd_per_million:,.2f}")
        for size in load.tuning.sizes
    ]
    shown = table(("size", "median ms", "slowest ms", "USD per million"), rows, numbers=(1, 2, 3))
    drawn = figures(starts, figure("Memory sizes", load_charts.memory(load.tuning), advice))
    return section("Cold starts and memory", drawn, shown)


def checks(run: FinishedRun) -> Markup:
    """Every check with what it expects and what came."""
    tables = [_checks(kind.PHASE, evidence.checks) for kind in _CHECKED if (evidence := evidence_of(run, kind))]
    return section("Checks", *tables)


def _checks(phase: str, rows: Sequence[CheckRow]) -> Markup:
    if not rows:
        return NOTHING
    # Failures first: they are what a reader looks for.
    ordered = sorted(rows, key=lambda row: ("FAILED", "NOT RUN", "PASSED").index(row.verdict))
    cells = [(tag("code", row.name), badge(row.verdict), _facts(row), f"{row.ms:,.0f}") for row in ordered]
    return join([tag("h3", phase), table(("check", "verdict", "expected, and what came", "ms"), cells, numbers=(3,))])


def _facts(row: CheckRow) -> Content:
    """Each expectation beside its value in the answer; records of older versions have the expectations only."""
    pairs = [_pair(each.expected, each.actual, "" if each.met else "unmet") for each in row.expectations or ()]
    texts = [] if pairs else [tag("div", text) for text in row.expected or ()]
    reason = [tag("p", row.reason, class_="dim")] if row.reason else []
    request = [tag("p", f"request {row.request_id}", class_="dim")] if row.request_id else []
    return [*pairs, *texts, *reason, *request] or "–"


def _pair(expected: str, actual: str, tone: str) -> Markup:
    return tag("div", tag("span", expected), tag("span", actual, class_=tone), class_="pair")


def drift(evidence: DriftEvidence) -> Markup:
    """What differed from the record, before and now, and whether it was put back."""
    rows = [_drift(each, "put back") for each in evidence.repaired]
    rows += [_drift(each, each.remedy if each.severity == DRIFT else "to know of") for each in evidence.findings]
    return section("Drift", table(("what", "on record", "found", "then"), rows))


def _drift(finding: DriftFinding, then: str) -> tuple[Content, ...]:
    where = tag("code", f"{finding.kind}: {finding.where}")
    return where, finding.expected, tag("span", finding.found, class_="unmet"), then


def cost(run: FinishedRun, load: LoadEvidence, bill: Bill) -> Markup:
    """What this rollout cost, line by line; what a million requests cost, beside the last good run's."""
    before = applied_as(run.environment, LoadEvidence)
    rows = [
        ("the load test, at most", load.estimated_usd, None),
        ("a million requests, without tokens", load.usd_per_million, before.usd_per_million if before else None),
    ]
    shown = [(what, _usd(now), _usd(then)) for what, now, then in rows if now is not None]
    lines = [(each.what, f"{each.amount:,.4g} {each.unit}", f"{each.usd:.5f}", each.basis) for each in bill.lines]
    ledger = table(("what", "units", "USD", "how it is known"), lines, numbers=(2,))
    load_table = table(("what", "USD", "in the run before"), shown, numbers=(1, 2))
    words = tag("p", _ledger_words(bill)) if run.phases else NOTHING
    return section("Cost", words, ledger, load_table)


def _ledger_words(bill: Bill) -> str:
    if bill.usd is None:
        return f"What this rollout cost: {bill.recorded}."
    partly = "" if bill.recorded is Recorded.RECORDED else f" ({bill.recorded})"
    prices = f"at the list prices of {bill.region} of {bill.prices_of}, without tokens"
    return " ".join([f"This rollout cost ${bill.usd:.4f}{partly}, {prices}.", *bill.remarks])


def _usd(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"
