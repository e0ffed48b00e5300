"""The report of a fleet deployment: one HTML page, made from its record when it is asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from chalicelib.domain.words import counted

from .responses import FleetDeploymentView, FleetMemberView, FleetWaveView

_STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}th,td{text-align:left;padding:.4rem .6rem;
border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dd{margin:0}
.FAILED,.ABORTED{color:light-dark(#b00020,#ff8a80)}.SUCCEEDED,.PASSED,.DONE{color:light-dark(#1b6e20,#81c784)}
"""
_TOLERATED_PERCENT = 100


def report_of(view: FleetDeploymentView) -> str:
    """The page, complete in itself."""
    title = f"Fleet {view.fleet}: {view.action.value} {view.status.value}"
    body = "".join((*_head(title, view), *(part for wave in view.waves for part in _wave(wave, view))))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )


def _head(title: str, view: FleetDeploymentView) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    if view.summary:
        yield f"<p>{escape(view.summary)}</p>"
    yield "<dl>"
    for name, value in _facts(view):
        if value:
            yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"


def _facts(view: FleetDeploymentView) -> Iterator[tuple[str, str]]:
    yield "Deployment", view.id
    yield "Requested", f"{view.created_at} by {view.caller}"
    yield "Why", view.reason
    yield "Ended", view.ended_at or "still running"
    yield "Took", f"{view.duration_s:.0f} s" if view.duration_s is not None else ""
    yield "Gate between waves", _gate(view)
    yield "When a wave fails", view.on_failure.replace("_", " ")
    if view.promotion:
        passed = view.promotion
        yield "Promoted from", f"{passed.environment}, deployment {passed.deployment_id}, artifact {passed.digest}"
    if view.error:
        yield "Cause", view.error["message"]


def _gate(view: FleetDeploymentView) -> str:
    soak = f"{view.gate.soak_s} s without an alarm" if view.gate.soak_s else ""
    approval = "an approval" if view.gate.approval == "required" else ""
    share = round(view.gate.tolerated_failures * _TOLERATED_PERCENT)
    return ", ".join(filter(None, [f"at most {share} % failed", soak, approval]))


def _wave(wave: FleetWaveView, view: FleetDeploymentView) -> Iterator[str]:
    status = f'<span class="{escape(wave.status)}">{escape(wave.status)}</span>'
    yield f"<h2>Wave {wave.number} of {len(view.waves)}: {status}</h2>"
    yield f"<p>{counted(len(wave.members), 'environment')}, {wave.failed} failed"
    if wave.approved_by:
        yield f"; the next wave was approved by {escape(wave.approved_by)} at {escape(wave.approved_at or '')}"
    yield "</p><table><thead><tr>"
    yield "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Environment", "Where", "Status", "Deployment", "Summary", "Taken back")
    )
    yield "</tr></thead><tbody>"
    yield from (_row(member) for member in wave.members)
    yield "</tbody></table>"


def _row(member: FleetMemberView) -> str:
    outcome = member.outcome if member.outcome not in (None, member.status) else ""
    status = f"{member.status} {f'({outcome})' if outcome else ''}".strip()
    back = member.rolled_back or ""
    taken_back = (escape(back), _report(member.rollback), escape(member.rollback_summary or ""))
    cells = (
        f'<th scope="row">{escape(member.environment)}</th>',
        f"<td>{escape(_place(member))}</td>",
        f'<td class="{escape(member.status)}">{escape(status)}</td>',
        f"<td>{_report(member.deployment)}</td>",
        f"<td>{escape(member.summary)}</td>",
        f'<td class="{escape(back)}">{" ".join(filter(None, taken_back))}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _place(member: FleetMemberView) -> str:
    """Nothing for the control plane's own account and region."""
    return " ".join(filter(None, (member.account, member.region)))


def _report(deployment: str | None) -> str:
    """A link to the deployment's own report, relative to this page's address in the API."""
    if not deployment:
        return ""
    name = escape(deployment)
    return f'<a href="../../../../deployments/{name}/report">{name}</a>'
