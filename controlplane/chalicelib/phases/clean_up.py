"""Phase 12: removes what was made, then looks for what is left, by name and by tag, and proves that nothing is.

After a deploy it removes only what the rollout left behind; with action `cleanup` the whole environment goes.
"""

from __future__ import annotations

from ..core.contract import Request, Result
from ..core.model import Action
from ..ports import Aws
from ..removal import environment, leftovers


def run(request: Request, aws: Aws) -> Result:
    if request.action is Action.CLEANUP:
        return environment.remove(request, aws)
    return leftovers.sweep(request, aws)
