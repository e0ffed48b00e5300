"""Phase 12: removes what was made, then looks for what is left, by name and by tag, and proves that nothing is.

After a deploy it removes only what the rollout left behind; with action `cleanup` the whole environment goes.
"""

from __future__ import annotations

from chalicelib.domain.model import Action
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import leftovers, remove


def run(request: Request, aws: Aws) -> Result:
    if request.action is Action.CLEANUP:
        return remove.remove(request, aws)
    return leftovers.sweep(request, aws)


PHASE = Definition(run, dict)
