"""The report as one HTML page: no script, no external address, plots as inline SVG, dark and light.

All text is escaped, because other systems wrote some of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape

from chalicelib.domain.model import FinishedRun, PhaseRecord

from . import plots, sequences
from .ending import ending_rows

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
    environment: str,
    deployment_id: str,
    at: str,
    links: Mapping[str, str],
    phases: Sequence[PhaseRecord],
    finished: FinishedRun | None = None,
) -> str:
    """The whole page. at: when it is written, ISO 8601; links: URL by name; phases: in the order that is shown;
    finished: how the deployment ended, None while it runs."""
    latency, beside = plots.latency(phases), sequences.comparisons(phases)
    body = [
        f"<h1>Environment {escape(environment)}</h1>",
        f'<p class="sub">Deployment <code>{escape(deployment_id)}</code>, {escape(at[:19])}Z</p>',
        "<h2>How it ended</h2>" + _ending(finished) if finished else "",
        "<h2>Links</h2>" + _links(links),
        "<h2>Duration</h2>" + plots.timeline(phases),
        f"<h2>Latency under load</h2>{latency}" if latency else "",
        f"<h2>Candidate and live, side by side</h2>{beside}" if beside else "",
        "<h2>Phases</h2>" + _phases(phases),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>proxyctl: {escape(environment)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _ending(run: FinishedRun) -> str:
    rows = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in ending_rows(run))
    return f"<table>{''.join(rows)}</table>"


def _links(links: Mapping[str, str]) -> str:
    rows = (
        f'<tr><th>{escape(name)}</th><td><a href="{escape(url)}">{escape(url)}</a></td></tr>'
        for name, url in links.items()
    )
    return f"<table>{''.join(rows)}</table>"


def _phases(phases: Sequence[PhaseRecord]) -> str:
    rows = "".join(map(_phase, phases))
    return f"<table><tr><th>phase</th><th>status</th><th>summary</th></tr>{rows}</table>"


def _phase(phase: PhaseRecord) -> str:
    name = f"{phase.number}. {phase.name}" if phase.number else phase.name
    return (
        f'<tr><td>{escape(name)}</td><td class="{phase.status.value}">{phase.status.value}</td>'
        f"<td>{escape(phase.summary)}{_evidence(phase.evidence)}</td></tr>"
    )


def _evidence(evidence: Mapping[str, object]) -> str:
    if not evidence:
        return ""
    text = json.dumps(evidence, indent=2, ensure_ascii=False, default=str)
    return f"<details><summary>evidence</summary><pre>{escape(text)}</pre></details>"
