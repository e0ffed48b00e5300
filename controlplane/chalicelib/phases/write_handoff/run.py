"""Writes what the next engineer needs: handoff.md and report.html, kept in the control plane's bucket."""

from __future__ import annotations

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint as of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from .handoff import handoff_markdown
from .links import console_links
from .report import report_html

_FORM = 2  # raise it when the documents' form changes, so that the next deploy writes them anew


def fingerprint(request: Request, aws: Aws) -> str:
    """Written anew when what it tells of has changed: the release, its settings or its address."""
    told = {name: request.results.get(name, {}) for name in ("deploy_stack", "release_code", "prepare_secret")}
    return of(_FORM, told, request.config)


def run(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)
    links = _links(request, names, aws)
    recorded = [phase for phase in aws.records.phases(request.deployment_id) if phase.name != "write_handoff"]
    phases = sorted(recorded, key=lambda phase: phase.started_at or "")
    at = request.now.isoformat(timespec="milliseconds")
    documents = {
        "handoff.md": (
            handoff_markdown(names, request.deployment_id, at, links, phases, aws.settings.region),
            "text/markdown; charset=utf-8",
        ),
        "report.html": (
            report_html(names.environment, request.deployment_id, at, links, phases),
            "text/html; charset=utf-8",
        ),
    }
    written: dict[str, str] = {}
    for name, (text, content_type) in documents.items():
        key = f"reports/{request.deployment_id}/{name}"
        aws.artifacts.put(key, text.encode(), content_type=content_type, tags=names.tags)
        if aws.artifacts.get(key) != text.encode():
            raise PhaseFailed(
                f"{key} reads back otherwise than it was written",
                code="ReportDamaged",
                remedy="Deploy again.",
            )
        written[name] = key
    return Result.done(
        f"{links['base_url']} is ready; handoff and report are written",
        links=links,
        bytes={name: len(text.encode()) for name, (text, _) in documents.items()},
        **written,
    )


def _links(request: Request, names: Names, aws: Aws) -> dict[str, str]:
    stack = request.results.get("deploy_stack", {})
    missing = [key for key in ("api_url", "base_url") if not stack.get(key)]
    if missing:
        raise PhaseFailed(
            f"deploy_stack recorded no {missing[0]}", code="NoAddress", remedy="Deploy with options.force."
        )
    links = {"base_url": str(stack["base_url"]), "api": str(stack["api_url"])}
    # In the embedded cloud there is no console to look at.
    if not aws.settings.embedded:
        links |= console_links(names, aws.settings.region, aws.settings.partition)
    return links


PHASE = Definition(run, dict, fingerprint=fingerprint)
