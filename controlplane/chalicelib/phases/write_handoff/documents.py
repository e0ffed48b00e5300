"""The two documents of a deployment that has ended, however it ended, as text."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.model import FinishedRun
from chalicelib.domain.names import Names
from chalicelib.load.curves import Curves

from .store import HTML, MARKDOWN, Document
from .handoff import handoff_markdown
from .report import report


def of_finished(
    run: FinishedRun, links: Mapping[str, str], region: str, curves: Curves | None
) -> tuple[Document, Document]:
    """Handoff and report of a deployment that has ended.

    links: URL by name, `base_url` only where there is a stack. curves: of its load test, None where there are none.
    """
    names, deployment = Names(run.environment.name), run.deployment.id
    markdown = handoff_markdown(names, deployment, run.at, links, run.phases, region, run)
    return Document("handoff.md", markdown, MARKDOWN), Document("report.html", report(run, links, curves), HTML)
