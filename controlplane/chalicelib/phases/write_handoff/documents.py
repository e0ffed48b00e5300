"""The two documents as text: of a rollout that goes on, and of a deployment that has ended, however it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.config import Config
from chalicelib.domain.model import FinishedRun
from chalicelib.domain.names import Names

from .handoff import handoff_markdown
from .report import report_html

HTML, MARKDOWN = "text/html; charset=utf-8", "text/markdown; charset=utf-8"
Documents = tuple["Document", "Document"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document in the bucket: `reports/<deployment>/<name>`."""

    name: str
    text: str
    content_type: str


def time_limit(config: Config, default_mode: str) -> tuple[str, int]:
    """The response mode of an environment, and the seconds that an answer may take there."""
    mode = config.response_mode or default_mode
    return mode, config.time_limit_s(mode)


def of_finished(run: FinishedRun, links: Mapping[str, str], region: str, default_mode: str) -> Documents:
    """Handoff and report of a deployment that has ended. links: URL by name, `base_url` only where there is a stack.

    default_mode: the response mode of environments that do not choose.
    """
    names, deployment = Names(run.environment.name), run.deployment.id
    limit = time_limit(run.deployment.config, default_mode)
    markdown = handoff_markdown(names, deployment, run.at, links, run.phases, region, limit, run)
    page = report_html(names.environment, deployment, run.at, links, run.phases, run)
    return Document("handoff.md", markdown, MARKDOWN), Document("report.html", page, HTML)
