"""Writes both documents of a deployment that has ended into the bucket, and reads them back.

Only the Lambda that ends a deployment imports this, so only that one carries the plotting library.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import date

from chalicelib.costs.ledger import bill
from chalicelib.domain.aws.address import Domain
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import RolloutError
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import FinishedRun
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Results, applied_as
from chalicelib.load.curves import Curves
from chalicelib.ports import Aws

from .handoff import handoff_markdown, time_limit
from .report import report
from .store import HTML, MARKDOWN, Document, links_of, put


def publish_finished(run: FinishedRun, aws: Aws) -> Mapping[str, str]:
    """Keys by name of the documents of a deployment that has ended, in place of those that it wrote while it ran."""
    names = Names(run.environment.name)
    links = links_of(_stack(run), _domain(run), names, aws)
    limit = time_limit(run.deployment.config, aws.settings.response_mode)
    markdown = handoff_markdown(names, run.deployment.id, run.at, links, run.phases, aws.settings, limit, run)
    cost = bill(run.deployment, run.phases, aws.settings.region, date.fromisoformat(run.at[:10]))
    page = report(run, links, _curves(run, aws), cost)
    documents = (Document("handoff.md", markdown, MARKDOWN), Document("report.html", page, HTML))
    return {document.name: put(document, run.deployment.id, names, aws) for document in documents}


def _domain(run: FinishedRun) -> Domain | None:
    """What users call now: that of the release they have, which is this deployment's if it became live."""
    live = run.environment.live
    return decode_lenient(Config, dict(live.config)).domain if live and live.config else run.deployment.config.domain


def _curves(run: FinishedRun, aws: Aws) -> Curves | None:
    """What the load test stored to be drawn; None without a load test, and of one of an earlier control plane."""
    load = Results({phase.name: phase.evidence for phase in run.phases}).find(LoadEvidence)
    if load is None or not load.curves:
        return None
    try:
        return decode_lenient(Curves, json.loads(aws.artifacts.get(load.curves)))
    except RolloutError as error:
        # The report is worth more than its curves.
        logging.getLogger(__name__).warning("no curves of %s: %s", run.deployment.id, error.message)
        return None


def _stack(run: FinishedRun) -> StackEvidence:
    """The stack as this deployment left it, else as an earlier one did; empty before the first."""
    results = Results({phase.name: phase.evidence for phase in run.phases})
    return results.find(StackEvidence) or applied_as(run.environment, StackEvidence) or StackEvidence()
