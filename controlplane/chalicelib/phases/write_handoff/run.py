"""Phase 10: writes what the next engineer needs, handoff.md, into the control plane's bucket.

The report is written by the step that ends the deployment (`publish`), which knows how it ended.
"""

from __future__ import annotations

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.handoff import HandoffEvidence
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import PhaseRecord
from chalicelib.domain.times import stamp
from chalicelib.engine.fingerprints import fingerprint as fingerprint_of
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from .handoff import handoff_markdown, time_limit
from .store import MARKDOWN, Document, links_of, put

_FORM = 6  # raise it when the documents change, so that the next deploy writes them again
_DESCRIBED = (StackEvidence, ReleaseEvidence, SecretEvidence)


def fingerprint(request: Request, aws: Aws) -> str:
    """What the documents describe: the release, its settings and its address."""
    evidence = {kind.PHASE: request.results.recorded.get(kind.PHASE, {}) for kind in _DESCRIBED}
    return fingerprint_of(_FORM, evidence, request.config)


def run(request: Request, aws: Aws) -> Result[HandoffEvidence]:
    """Write handoff.md and read it back. Raises PhaseFailed: NoAddress, ReportDamaged."""
    links = _links(request, aws)
    names, deployment, at = request.names, request.deployment_id, stamp(request.now)
    limit = time_limit(request.config, aws.settings.response_mode)
    text = handoff_markdown(names, deployment, at, links, _phases(request, aws), aws.settings, limit)
    handoff = Document("handoff.md", text, MARKDOWN)
    evidence = HandoffEvidence(
        links=links, bytes={handoff.name: len(text.encode())}, handoff_md=put(handoff, deployment, names, aws)
    )
    return Result.done(f"{links['base_url']} is ready; the handoff is written", evidence)


def _phases(request: Request, aws: Aws) -> list[PhaseRecord]:
    """The records of this deployment's other phases, in the order in which they began."""
    records = [phase for phase in aws.records.phases(request.deployment_id) if phase.name != HandoffEvidence.PHASE]
    return sorted(records, key=lambda phase: phase.started_at or "")


def _links(request: Request, aws: Aws) -> dict[str, str]:
    stack = request.results.find(StackEvidence) or StackEvidence()
    missing = [name for name, url in (("api_url", stack.api_url), ("base_url", stack.base_url)) if not url]
    if missing:
        raise PhaseFailed(
            f"deploy_stack recorded no {missing[0]}", code="NoAddress", remedy="Deploy with options.force."
        )
    return links_of(stack, request.config.domain, request.names, aws)


PHASE = Definition(run, HandoffEvidence, fingerprint=fingerprint)
