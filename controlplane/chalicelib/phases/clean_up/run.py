"""Phase 12: removes resources, then searches by name and by tag for what is left.

After a deployment it removes what the rollout does not need any more; with action `cleanup` the whole environment.
"""

from __future__ import annotations

from chalicelib.domain.evidence.clean_up import CleanUpEvidence
from chalicelib.domain.model import Action
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import follow, leftovers, verify
from .cursor import RemovalCursor


def run(request: Request, aws: Aws) -> Result[CleanUpEvidence]:
    """One step of a removal, or all of the sweep after a deployment.

    A removal deletes what watches the stack, the stack, and what the stack does not own; then it verifies. Raises what
    `follow` and `verify` raise.
    """
    if request.action is not Action.CLEANUP:
        return leftovers.sweep(request, aws)
    step = request.cursor_as(RemovalCursor).step
    if step == "deleting":
        return follow.follow(request, aws)
    if step == "verifying":
        return verify.verify(request, aws)
    return follow.begin(request, aws)


PHASE = Definition(run, CleanUpEvidence, RemovalCursor)
