"""The report as one HTML page: no script, no outside address, plots as inline SVG, dark and light.

Everything shown comes from records; all text is escaped, since some of it was written by other systems.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from chalicelib.domain.model import PhaseRecord

_WIDTH = 760
_ROW = 24
_LABEL = 170
_SHOWN = ("p50", "p90", "p99")

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2330;--dim:#5d6778;--line:#d9dee7;--paper:#fff;--bar:#2f6fde;
--good:#1f8a4c;--bad:#c4392f;--skip:#98a2b3}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf2;--dim:#9aa5b8;--line:#303a4c;--paper:#141a24;--bar:#6ea0ff;
--good:#4cc27d;--bad:#f0776d;--skip:#6b778c}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:2rem auto;max-width:860px;
padding:0 1.2rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}p.sub{color:var(--dim);margin:.2rem 0 1rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;
border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:600}td.num{text-align:right;
font-variant-numeric:tabular-nums}
code,pre{font:13px/1.45 ui-monospace,monospace}pre{overflow-x:auto;background:color-mix(in srgb,var(--line) 30%,
transparent);padding:.7rem;border-radius:6px}
.SUCCEEDED{color:var(--good)}.FAILED{color:var(--bad)}.SKIPPED,.RUNNING,.PENDING{color:var(--skip)}
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .dim{fill:var(--dim)}
summary{cursor:pointer;color:var(--dim)}a{color:var(--bar)}
"""


def report_html(
    environment: str, deployment_id: str, at: str, links: Mapping[str, str], phases: Sequence[PhaseRecord]
) -> str:
    """The whole page."""
    body = [
        f"<h1>Environment {escape(environment)}</h1>",
        f'<p class="sub">Deployment <code>{escape(deployment_id)}</code>, {escape(at[:19])}Z</p>',
        "<h2>Where it is</h2>" + _links(links),
        "<h2>How long it took</h2>" + timeline(phases),
        _latency(phases),
        "<h2>What was done and seen</h2>" + _phases(phases),
    ]
    title = f"proxyctl: {escape(environment)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _links(links: Mapping[str, str]) -> str:
    rows = (
        f'<tr><th>{escape(name)}</th><td><a href="{escape(url)}">{escape(url)}</a></td></tr>'
        for name, url in links.items()
    )
    return f"<table>{''.join(rows)}</table>"


def _spans(phases: Sequence[PhaseRecord]) -> list[tuple[PhaseRecord, float, float]]:
    """Each ended phase with its start and end in seconds since the first began, in order of time."""
    ended = [phase for phase in phases if phase.started_at and phase.ended_at]
    if not ended:
        return []
    times = [(phase, _at(phase.started_at), _at(phase.ended_at)) for phase in ended]
    zero = min(start for _, start, _ in times)
    return sorted(((phase, start - zero, end - zero) for phase, start, end in times), key=lambda span: span[1])


def _at(text: str | None) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


def timeline(phases: Sequence[PhaseRecord]) -> str:
    """A bar a phase, from when it began to when it ended."""
    spans = _spans(phases)
    if not spans:
        return "<p>No phase has ended.</p>"
    whole = max(end for _, _, end in spans) or 1.0
    room = _WIDTH - _LABEL - 70
    rows = []
    for number, (phase, start, end) in enumerate(spans):
        y = number * _ROW
        x = _LABEL + room * start / whole
        width = max(2.0, room * (end - start) / whole)
        colour = {"FAILED": "--bad", "SKIPPED": "--skip"}.get(phase.status.value, "--bar")
        rows.append(
            f'<text x="0" y="{y + 16}">{escape(phase.name)}</text>'
            f'<rect x="{x:.1f}" y="{y + 5}" width="{width:.1f}" height="14" rx="3" style="fill:var({colour})"/>'
            f'<text class="dim" x="{x + width + 6:.1f}" y="{y + 16}">{end - start:.1f} s</text>'
        )
    height = len(spans) * _ROW + 4
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Duration of each phase">{"".join(rows)}</svg>'


def _latency(phases: Sequence[PhaseRecord]) -> str:
    """The load test's percentiles as bars, of the whole and of its parts, if a load test ran."""
    found = next((phase for phase in phases if phase.name == "load_test"), None)
    if found is None:
        return ""
    split = found.evidence.get("split_ms")
    parts: dict[str, Any] = {"due to last byte": found.evidence.get("response_ms")}
    parts |= dict(split) if isinstance(split, Mapping) else {}
    points = [
        (f"{part}, {name}", float(value))
        for part, measured in parts.items()
        if isinstance(measured, Mapping)
        for name, value in measured.items()
        if name in _SHOWN and isinstance(value, int | float)
    ]
    return f"<h2>Latency under load</h2>{_bars(points)}" if points else ""


def _bars(points: Sequence[tuple[str, float]]) -> str:
    most = max(value for _, value in points) or 1.0
    room = _WIDTH - _LABEL - 90
    rows = []
    for number, (name, value) in enumerate(points):
        y = number * _ROW
        width = max(2.0, room * value / most)
        rows.append(
            f'<text x="0" y="{y + 16}">{escape(name)}</text>'
            f'<rect x="{_LABEL}" y="{y + 5}" width="{width:.1f}" height="14" rx="3" style="fill:var(--bar)"/>'
            f'<text class="dim" x="{_LABEL + width + 6:.1f}" y="{y + 16}">{value:.1f} ms</text>'
        )
    height = len(points) * _ROW + 4
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Latency percentiles">{"".join(rows)}</svg>'


def _phases(phases: Sequence[PhaseRecord]) -> str:
    rows = []
    for phase in phases:
        name = f"{phase.number}. {phase.name}" if phase.number else phase.name
        rows.append(
            f'<tr><td>{escape(name)}</td><td class="{phase.status.value}">{phase.status.value}</td>'
            f"<td>{escape(phase.summary)}{_evidence(phase.evidence)}</td></tr>"
        )
    return f"<table><tr><th>phase</th><th>verdict</th><th>what it saw</th></tr>{''.join(rows)}</table>"


def _evidence(evidence: Mapping[str, Any]) -> str:
    if not evidence:
        return ""
    text = json.dumps(evidence, indent=2, ensure_ascii=False, default=str)
    return f"<details><summary>evidence</summary><pre>{escape(text)}</pre></details>"
