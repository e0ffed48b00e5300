"""The report of a deployment as one HTML page: no script, no external address, charts as inline SVG, dark and light.

All text is escaped, because other systems wrote some of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from chalicelib.costs.bill import Bill
from chalicelib.domain.evidence.drift import DriftEvidence
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.plan import PlanEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence, ShiftEvidence
from chalicelib.domain.model import Action, FinishedRun
from chalicelib.load.curves import Curves

from . import run_charts, sections
from .changes import evidence_of
from .markup import NOTHING, Content, Markup, badge, facts, join, link, section, tag

_HEAD = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'


def report(run: FinishedRun, links: Mapping[str, str], curves: Curves | None, cost: Bill | None = None) -> str:
    """The whole page. links: URL by name; curves: of the load test, None when there was none; cost: of the rollout."""
    style = Path(__file__).with_name("report.css").read_text()
    title = f"{run.deployment.action.value} {run.environment.name}: {run.status.value}"
    head = tag("head", Markup(_HEAD), tag("title", title), tag("style", Markup(style)))
    body = tag(
        "body", tag("header", _verdict(run), _who(run)), tag("main", _sections(run, links, curves, cost or Bill()))
    )
    return f"<!doctype html>{tag('html', head, body, lang='en')}\n"


def _verdict(run: FinishedRun) -> Markup:
    name = f"{run.deployment.action.value} {run.environment.name}".capitalize()
    return join(
        [tag("h1", name, " ", badge(run.status.value)), tag("p", run.summary, class_="why"), _error(run.error or {})]
    )


def _error(error: Mapping[str, str]) -> Markup:
    """Cause and remedy; the summary holds the message."""
    if not error:
        return NOTHING
    pairs = [(name, error.get(name, "")) for name in ("code", "field", "remedy")]
    return tag("div", facts(pairs), class_="error")


def _who(run: FinishedRun) -> Markup:
    deployment, approval = run.deployment, run.deployment.approval
    release = evidence_of(run, ReleaseEvidence)
    approved = f"{run.approver}, {_time(str(approval.get('at', '')))}" if run.approver else ""
    pairs: list[tuple[str, Content]] = [
        ("reason", deployment.options.reason),
        ("requested", f"{_time(deployment.created_at)} by {deployment.caller or 'unknown'}"),
        ("where", str(deployment.config.target or "")),
        ("approved by", approved),
        ("ended", f"{_time(run.at)}, after {run_charts.duration(deployment.created_at, run.at)}"),
        ("users", run.users),
        ("version", release.version if release else ""),
        ("deployment", tag("code", deployment.id)),
        ("resumes", tag("code", deployment.resumes) if deployment.resumes else ""),
    ]
    return facts(pairs)


def _time(at: str) -> str:
    return f"{at[:10]} {at[11:19]} UTC" if at else "?"


def _sections(run: FinishedRun, links: Mapping[str, str], curves: Curves | None, cost: Bill) -> Iterator[Markup]:
    load, shift = evidence_of(run, LoadEvidence) or LoadEvidence(), evidence_of(run, ShiftEvidence) or ShiftEvidence()
    if run.deployment.action in (Action.DEPLOY, Action.PROMOTE, Action.ROTATE, Action.PLAN, Action.ROLLBACK):
        yield sections.changed(run)
    plan = evidence_of(run, PlanEvidence)
    if plan and plan.text:
        yield section("Plan", tag("pre", plan.text, tabindex="0"))
    yield sections.drift(evidence_of(run, DriftEvidence) or DriftEvidence())
    yield sections.service_levels(load)
    yield sections.latency(run, load, curves)
    yield sections.beside(load, shift)
    yield sections.traffic(run, shift)
    yield sections.starts_and_sizes(run, load)
    yield sections.checks(run)
    yield sections.cost(run, load, cost)
    yield sections.timeline(run.phases)
    yield section("Links", facts((name, link(url)) for name, url in links.items()))
