"""Writes both documents into the bucket and reads them back: of a rollout that goes on, and of one that has ended."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import FinishedRun
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Results, applied_as
from chalicelib.ports import Aws

from .documents import Document, of_finished
from .links import console_links


def publish(document: Document, deployment_id: str, names: Names, aws: Aws) -> str:
    """The document's key, once the bucket answers with what was written. Raises PhaseFailed (ReportDamaged)."""
    key, content = f"reports/{deployment_id}/{document.name}", document.text.encode()
    aws.artifacts.put(key, content, content_type=document.content_type, tags=names.tags)
    if aws.artifacts.get(key) != content:
        raise PhaseFailed(
            f"the bucket answers {key} with other bytes than were written", code="ReportDamaged", remedy="Deploy again."
        )
    return key


def publish_finished(run: FinishedRun, aws: Aws) -> Mapping[str, str]:
    """Keys by name of the documents of a deployment that has ended, in place of those that it wrote while it ran."""
    names = Names(run.environment.name)
    links = links_of(_stack(run), names, aws)
    documents = of_finished(run, links, aws.settings.region, aws.settings.response_mode)
    return {document.name: publish(document, run.deployment.id, names, aws) for document in documents}


def _stack(run: FinishedRun) -> StackEvidence:
    """The stack as this deployment left it, else as an earlier one did; empty before the first."""
    results = Results({phase.name: phase.evidence for phase in run.phases})
    return results.find(StackEvidence) or applied_as(run.environment, StackEvidence) or StackEvidence()


def links_of(stack: StackEvidence, names: Names, aws: Aws) -> dict[str, str]:
    """URL by name: what users call, where there is a stack, and the console's pages in an account."""
    links = {"base_url": stack.base_url, "api": stack.api_url} if stack.api_url else {}
    # The embedded cloud has no console.
    if not aws.settings.embedded:
        links |= console_links(names, aws.settings.region, aws.settings.partition)
    return links
